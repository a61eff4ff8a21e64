import { AppError, EXIT, type ExitCode } from '../../core/errors.ts';
import { readJobId } from './keys.ts';
import { isSealed } from './seal.ts';

/** What a worker delivers to the runner about one job. */
export type DeliveredEnd =
  | { readonly status: 'line'; readonly line: string }
  | { readonly status: 'unknown'; readonly why: string; readonly bodyBytes: number }
  /** The call was not made, or is known to have cost nothing. `code` says why. */
  | { readonly status: 'back'; readonly code: string }
  /** No call can succeed now; this one cost nothing. */
  | { readonly status: 'halt'; readonly error: AppError }
  /** The worker will not make this call, and no other one should. */
  | { readonly status: 'reject'; readonly why: string };

/** Why a call is unknown if its worker is gone. */
export const WORKER_DIED = 'the worker that made the call died';
/** Why a call is unknown if it was aborted, because its worker had to end or was considered dead. */
export const GIVEN_UP = 'the call was given up';

/** One entry of the results stream. */
export type ResultEntry =
  | {
      readonly type: 'end';
      readonly entryId: string;
      readonly callId: string;
      readonly customId: string;
      readonly end: DeliveredEnd;
      /** Timing of the call; null if the worker reports none. */
      readonly report: CallReport | null;
    }
  /** A worker has delivered everything it knows to this session. */
  | { readonly type: 'account'; readonly entryId: string; readonly worker: string; readonly sessionId: string }
  /** Not written by a worker of ours. */
  | { readonly type: 'forged'; readonly entryId: string; readonly why: string };

/** An end in transit: a response line unchanged, anything else as JSON. */
export function writeEnd(end: Exclude<DeliveredEnd, { readonly status: 'line' }>): string {
  if (end.status !== 'halt') return JSON.stringify(end);
  return JSON.stringify({ status: 'halt', code: end.error.code, message: end.error.message, exitCode: end.error.exitCode });
}

/** Reads an entry of the stream, which anyone with access to Redis could have written. */
export function readEntry(entryId: string, flat: readonly string[], options: { state: string; secret: string | null }): ResultEntry {
  const field = (name: string) => flat[flat.indexOf(name) + 1] ?? '';
  const [kind, callId, text] = [field('kind'), field('job'), field('text')];
  if (kind === 'account') {
    const [worker = '', sessionId = ''] = text.split('|');
    return { type: 'account', entryId, worker, sessionId };
  }
  const forged = (why: string): ResultEntry => ({ type: 'forged', entryId, why });
  const customId = readJobId(options.state, callId);
  if (customId === null) return forged('an end of an unknown job');
  if (!isSealed(options.secret, [options.state, callId, kind, text], field('seal')))
    return forged('an end that is not sealed with our secret');
  const end = readEnd(kind, customId, text);
  if (end === null) return forged('an end in a wrong form');
  return { type: 'end', entryId, callId, customId, end, report: readReport(field('told')) };
}

function readEnd(kind: string, customId: string, text: string): DeliveredEnd | null {
  if (kind === 'line') {
    // One line of the ledger, about this call and no other.
    return text.includes('\n') || !text.includes(`"custom_id":"${customId}"`) ? null : { status: 'line', line: text };
  }
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(text) as Record<string, unknown>;
  } catch {
    return null;
  }
  const word = (name: string) => (typeof value[name] === 'string' ? (value[name] as string).slice(0, 500) : '');
  switch (kind) {
    case 'unknown':
      return { status: 'unknown', why: word('why'), bodyBytes: typeof value.bodyBytes === 'number' ? value.bodyBytes : 0 };
    case 'back':
      return { status: 'back', code: word('code') };
    case 'reject':
      return { status: 'reject', why: word('why') };
    case 'halt':
      return { status: 'halt', error: new AppError(word('message'), { code: word('code'), exitCode: exitCodeOf(value.exitCode) }) };
    default:
      return null;
  }
}

function exitCodeOf(value: unknown): ExitCode {
  return Object.values(EXIT).find((code) => code === value) ?? EXIT.stopped;
}

/** What travels through Redis for one call, and nothing else: no URL, no header, no key. */
export interface CallPayload {
  readonly custom_id: string;
  readonly path: string;
  /** The exact JSON text that was hashed. */
  readonly body: string;
  /** Present if a secret is shared. */
  readonly seal?: string;
}

/** What a worker reports about an answered call besides its line. */
export interface CallReport {
  readonly durationMs: number;
  /** Null if the answer has no usage. */
  readonly usedTokens: number | null;
}

/** In transit: two numbers, the second empty if unknown. */
export function writeReport({ durationMs, usedTokens }: CallReport): string {
  return `${Math.round(durationMs)}|${usedTokens ?? ''}`;
}

/** Null for anything that is not a report: anyone who can write to Redis may have written it. */
export function readReport(text: string): CallReport | null {
  const [, durationMs, usedTokens] = /^(\d{1,12})\|(\d{1,12})?$/.exec(text) ?? [];
  if (durationMs === undefined) return null;
  return { durationMs: Number(durationMs), usedTokens: usedTokens === undefined ? null : Number(usedTokens) };
}
