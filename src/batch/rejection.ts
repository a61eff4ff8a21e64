import { isModelCode, QUOTA_CODES, saysNoModel } from '../core/answer/refusal-codes.ts';
import type { RejectedRequest } from '../core/event.ts';
import type { BatchProblem, RemoteBatch } from '../openai/wire.ts';
import { isTooLarge } from './upload.ts';

/** What a refused shard requires: the provider's reasons for a `failed` batch or a 4xx at create, turned into one decision. */
export type Rejection =
  /** The model's queue is full; the limit as named in the message. */
  | ({ readonly type: 'queue-full' } & EnqueuedLimit)
  /** The provider does not see the file (yet). */
  | { readonly type: 'file-not-found'; readonly message: string }
  | { readonly type: 'too-large'; readonly message: string }
  /** The account cannot pay: no row is at fault. */
  | { readonly type: 'account-refused'; readonly code: string; readonly message: string }
  /** No batch of this job can pass: the model, the endpoint. */
  | { readonly type: 'job-refused'; readonly code: string; readonly message: string }
  /** These rows are bad, the others may be sent. */
  | { readonly type: 'rows'; readonly rejected: readonly RejectedRequest[] }
  /** The prompt cache settings in the lines; their content was not checked. */
  | { readonly type: 'undelivered' }
  /** Some row is bad, and the provider does not say which. */
  | { readonly type: 'unplaced'; readonly code: string; readonly message: string };

/** The queue limit of a model for an account, in whichever of the two units it is given; null otherwise. */
export interface EnqueuedLimit {
  readonly limitTokens: number | null;
  readonly limitRequests: number | null;
}

const ENDPOINT_CODES: ReadonlySet<string> = new Set(['invalid_endpoint', 'invalid_url', 'url_mismatch']);

/** Reads the errors of a batch that failed validation. `customIds` are the shard's, in line order. */
export function readRejection(batch: RemoteBatch, customIds: readonly string[]): Rejection {
  const first: BatchProblem = batch.errors[0] ?? { code: 'unknown_error', message: 'the provider gave no reason', param: null, line: null };
  const general = readGeneral(first.code, first.message, first.param);
  if (general !== null) return general;
  const rejected = new Map<string, RejectedRequest>();
  for (const { line, code, message } of batch.errors) {
    const customId = line === null ? undefined : customIds[line - 1];
    if (customId !== undefined && !rejected.has(customId)) rejected.set(customId, { customId, code, message });
  }
  const [only] = customIds;
  if (customIds.length === 1 && only !== undefined) rejected.set(only, { customId: only, code: first.code, message: first.message });
  if (rejected.size > 0) return { type: 'rows', rejected: [...rejected.values()] };
  return { type: 'unplaced', code: first.code, message: first.message };
}

/** Reasons that concern the shard as a whole, or null. The same codes arrive as a 4xx at create and as a failed batch. */
export function readGeneral(code: string, message: string, param: string | null): Rejection | null {
  if (isEnqueuedLimit({ code, message })) return { type: 'queue-full', ...readEnqueuedLimit(message) };
  if (QUOTA_CODES.has(code)) return { type: 'account-refused', code, message };
  if (param === 'file_id' || /cannot find file/i.test(message)) return { type: 'file-not-found', message };
  if (isTooLarge({ message })) return { type: 'too-large', message };
  if (isModelCode(code) || saysNoModel(message) || ENDPOINT_CODES.has(code)) return { type: 'job-refused', code, message };
  return null;
}

/** A queue limit in requests has its own code, which is not documented: the wording decides (help.openai.com 9197833, seen 2026-11-21). */
const ENQUEUED_LIMIT = /Limit: ([\d,]+) enqueued (token|request)s/;

/** Whether the provider's queue is full, whatever the status. */
export function isEnqueuedLimit({ code, message }: { readonly code: string; readonly message: string }): boolean {
  return code === 'token_limit_exceeded' || ENQUEUED_LIMIT.test(message);
}

/** "Limit: 2,000,000 enqueued tokens" in the provider's message (openai-contract section 4, seen 2026-11-21). */
function readEnqueuedLimit(message: string): EnqueuedLimit {
  const [, digits = '', unit] = ENQUEUED_LIMIT.exec(message) ?? [];
  const told = Number(digits.replaceAll(',', ''));
  const limit = Number.isSafeInteger(told) && told > 0 ? told : null;
  return { limitTokens: unit === 'token' ? limit : null, limitRequests: unit === 'request' ? limit : null };
}
