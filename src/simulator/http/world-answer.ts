import { readFileSync } from 'node:fs';
import type { RequestAction } from '../faults/fault-plan.ts';
import type { WireAnswer } from '../http-types.ts';

type WorldAction = Extract<RequestAction, { type: 'world' }>;

/** The members by which a client finds objects again. */
const NAMES = ['id', 'input_file_id', 'bytes'] as const;

/**
 * The response of a shape. If the request took effect, its ids are replaced by the real ones, so that later requests work; `@LINE@` is replaced by the
 * real lines of a file.
 */
export function makeWorldAnswer({ status, headers, body }: WorldAction, real: WireAnswer | undefined): WireAnswer {
  const isText = typeof body === 'string';
  if (real?.type === 'file' && isText) {
    const lines = readFileSync(real.path, 'utf8').trim();
    return { type: 'json', status, headers, body: body.replaceAll('@LINE@', () => lines) };
  }
  return { type: 'json', status, headers, body: isText || real?.type !== 'json' ? body : nameTruly(body, real.body) };
}

function nameTruly(told: unknown, real: unknown): unknown {
  if (!isObject(told) || !isObject(real)) return told;
  if (isObject(told.job)) return { ...told, job: nameTruly(told.job, real) };
  return { ...told, ...Object.fromEntries(NAMES.filter((name) => name in told && name in real).map((name) => [name, real[name]])) };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
