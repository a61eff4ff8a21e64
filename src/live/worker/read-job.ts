import { makeKey, parseCustomId, type Request } from '../../core/request.ts';
import type { CallReference } from '../redis/calls.ts';
import { makeGroupedCallId, readJobId } from '../redis/keys.ts';
import { isSealed } from '../redis/seal.ts';

/** What a worker's own environment allows, whoever writes to Redis. */
export interface WorkerCeilings {
  /** Models it may call; null allows all. */
  readonly models: ReadonlySet<string> | null;
  readonly bodyBytes: number;
  /** The highest output cap of a body, over all its votes; null allows any, and bodies without a cap. */
  readonly outputTokens: number | null;
}

/** Paths a worker may call. The base URL comes from its environment. */
export const JOB_PATHS: ReadonlySet<string> = new Set(['/v1/chat/completions', '/v1/responses', '/v1/embeddings']);

/** A checked job, or why it is refused; the reason quotes no content. `outputTokens` is null if the body sets no cap. */
export type JobReading =
  | { readonly status: 'request'; readonly request: Request; readonly model: string; readonly outputTokens: number | null }
  | { readonly status: 'refused'; readonly why: string };

/** The calls of a job; none if it is not ours: then nothing about it can be trusted, not even whom to tell. */
export function listCalls(state: string, jobId: string, data: unknown): readonly (CallReference & { readonly data: unknown })[] {
  const { calls } = (data ?? {}) as { readonly calls?: unknown };
  const grouped = Array.isArray(calls) ? calls.flatMap((call) => readGrouped(state, jobId, call)) : [];
  if (grouped.length > 0) return grouped;
  const customId = readJobId(state, jobId);
  return customId === null ? [] : [{ state, callId: jobId, customId, data }];
}

function readGrouped(state: string, jobId: string, data: unknown): (CallReference & { readonly data: unknown })[] {
  const { custom_id: customId } = (data ?? {}) as { readonly custom_id?: unknown };
  if (typeof customId !== 'string') return [];
  const callId = makeGroupedCallId(state, jobId, customId);
  return callId === null ? [] : [{ state, callId, customId, data }];
}

/** Everything a worker may conclude from a call that anyone with access to Redis could have written. */
export function readJob(
  data: unknown,
  options: { readonly state: string; readonly customId: string; readonly secret: string | null; readonly ceilings: WorkerCeilings },
): JobReading {
  if (typeof data !== 'object' || data === null) return refuse('the job holds no call');
  const unknown = Object.keys(data).filter((name) => !['custom_id', 'path', 'body', 'seal'].includes(name));
  if (unknown.length > 0) return refuse('the job holds unknown fields');
  const { custom_id: customId, path, body, seal } = data as Record<string, unknown>;
  if (typeof customId !== 'string' || typeof path !== 'string' || typeof body !== 'string') return refuse('the job holds no call');
  if (!isSealed(options.secret, [options.state, customId, path, body], seal)) return refuse('the job is not sealed with our secret');
  const parts = parseCustomId(customId);
  if (parts === null || customId !== options.customId) return refuse('the job has a wrong id');
  if (!JOB_PATHS.has(path)) return refuse('the job asks for a path that is not allowed');
  if (Buffer.byteLength(body) > options.ceilings.bodyBytes)
    return refuse(`the body is larger than the worker's ${options.ceilings.bodyBytes} bytes`);
  if (parts.reask === 0 && makeKey(path, body) !== parts.key.slice(0, 22)) return refuse('the content does not match the key');
  return readBody({ key: parts.key, customId, url: path, body }, options.ceilings);
}

function readBody(request: Request, ceilings: WorkerCeilings): JobReading {
  let body: unknown;
  try {
    body = JSON.parse(request.body);
  } catch {
    return refuse('the body is not JSON');
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return refuse('the body is not an object');
  const { model, n, max_completion_tokens, max_output_tokens, max_tokens } = body as Record<string, unknown>;
  if (typeof model !== 'string') return refuse('the body names no model');
  if (ceilings.models !== null && !ceilings.models.has(model)) return refuse(`the worker may not call the model ${model.slice(0, 60)}`);
  const caps = [max_completion_tokens, max_output_tokens, max_tokens].filter((value) => typeof value === 'number');
  const votes = typeof n === 'number' && n >= 1 ? Math.floor(n) : 1;
  const outputTokens = request.url === '/v1/embeddings' ? 0 : caps.length === 0 ? null : Math.max(...caps) * votes;
  if (ceilings.outputTokens !== null && (outputTokens ?? Number.POSITIVE_INFINITY) > ceilings.outputTokens) {
    return refuse(`the output cap is above the worker's ${ceilings.outputTokens} tokens`);
  }
  return { status: 'request', request, model, outputTokens };
}

function refuse(why: string): JobReading {
  return { status: 'refused', why };
}
