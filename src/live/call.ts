import { asksForFlex, isCacheRefusal, removeCacheDelivery } from '../core/delivery.ts';
import { EXIT } from '../core/errors.ts';
import type { Request } from '../core/request.ts';
import type { ResponseLine } from '../core/response-line.ts';
import { readBodyUsage, type Usage } from '../core/usage.ts';
import { ApiError } from '../openai/api-error.ts';
import type { EndpointResult } from '../openai/call-endpoint.ts';
import { WRONG_ADDRESS } from '../openai/classify.ts';
import { OTHER_FORM } from '../openai/form-learning.ts';
import { SIMULATOR_HEADER } from '../openai/open-client.ts';
import type { Provider } from '../openai/provider.ts';

/** The result of one call, by what follows from it. */
export type CallOutcome =
  /** The provider answered: with an answer, or with a failure of the row (`failure`), transient or not. `line` is to be stored. */
  | {
      readonly status: 'answered';
      readonly line: string;
      /** The same, parsed, for an answer: it is not parsed a second time. */
      readonly read?: ResponseLine;
      readonly usage: Usage | null;
      readonly headers: Headers | null;
      readonly failure: ApiError | null;
    }
  /** Nothing was used and nothing is known about the row: too fast (`wait`), or it did not reach the provider (`not-sent`). */
  | { readonly status: 'wait' | 'not-sent'; readonly failure: ApiError; readonly headers: Headers | null; readonly isAboutTokens: boolean }
  /** No call can succeed now. */
  | { readonly status: 'stop'; readonly failure: ApiError }
  /** It may have been billed. */
  | { readonly status: 'unknown'; readonly failure: ApiError };

export interface CallOptions {
  readonly provider: Pick<Provider, 'callEndpoint'>;
  /** Unique for each call: `response line ids tell two calls of one request apart`. */
  readonly makeLineId: () => string;
  readonly clock: () => Date;
  /** Milliseconds that never decrease: setting the clock during a call changes no duration. */
  readonly monotonicMs: () => number;
}

/** Makes one call. `queuedAt` is when its row was handed to the lane, `waitedMs` how long ago that is, if it was in this process. @throws the signal's reason when it fires: the call's result is unknown */
export type MakeCall = (
  request: Request,
  options: { readonly queuedAt: Date; readonly waitedMs?: number; readonly signal: AbortSignal },
) => Promise<CallOutcome>;

/** A single "no such route" may be a hiccup of something in front of the server; this many, and no success, are not. */
const MISSES_TO_STOP = 3;

export function createMakeCall({ provider, makeLineId, clock, monotonicMs }: CallOptions): MakeCall {
  let hasPassed = false;
  let misses = 0;
  return async (request, { queuedAt, waitedMs, signal }) => {
    const startedAt = clock();
    const startedMs = monotonicMs();
    const { url, body, customId } = request;
    const first = await provider.callEndpoint({ url, body, customId, signal });
    // Such a refusal is not billed and says nothing about the row, which is sent again at once without the refused part.
    const plain = isRefusedCache(first) ? removeCacheDelivery(body) : body;
    const isUndelivered = plain !== body;
    const result = isUndelivered ? await provider.callEndpoint({ url, body: plain, customId, signal }) : first;
    const makeLine = (id: string, statusCode: number, requestId: string, bodyText: string) =>
      makeResponseLine({
        id,
        customId,
        statusCode,
        requestId,
        bodyText,
        queuedAt,
        startedAt,
        endedAt: clock(),
        waitMs: Math.round(waitedMs ?? Math.max(0, startedAt.getTime() - queuedAt.getTime())),
        callMs: Math.round(monotonicMs() - startedMs),
        isSimulated: result.headers?.has(SIMULATOR_HEADER) ?? false,
        isUndelivered,
      });
    if (result.status === 'answered') {
      hasPassed = true;
      const { statusCode, requestId } = result;
      const id = makeLineId();
      const line = makeLine(id, statusCode, requestId, onOneLine(result.bodyText));
      const read = {
        id,
        custom_id: customId,
        response: { status_code: statusCode, request_id: requestId, body: result.body },
        error: null,
      };
      return { status: 'answered', line, read, usage: readBodyUsage(result.body), headers: result.headers, failure: null };
    }
    const { failure, headers } = result;
    if (failure.code === OTHER_FORM) return { status: 'not-sent', failure, headers, isAboutTokens: false };
    if (failure.code === WRONG_ADDRESS && !hasPassed) {
      misses += 1;
      if (misses < MISSES_TO_STOP) return { status: 'not-sent', failure, headers, isAboutTokens: false };
      const { message, code, status } = failure;
      return { status: 'stop', failure: new ApiError(message, { kind: 'stop', code, status, exitCode: EXIT.refused }) };
    }
    if (isRefusedTier(failure, body)) return { status: 'stop', failure: refuseTier(failure) };
    switch (failure.kind) {
      case 'permanent':
      case 'again': {
        const line = makeLine(makeLineId(), failure.status ?? 0, failure.requestId ?? '', JSON.stringify({ error: wordsOf(failure) }));
        return { status: 'answered', line, usage: null, headers, failure };
      }
      case 'wait':
      case 'not-sent':
        return { status: failure.kind, failure, headers, isAboutTokens: /\btokens\b/.test(`${failure.refusal?.type} ${failure.message}`) };
      case 'stop':
      case 'unknown':
        return { status: failure.kind, failure };
      default:
        return failure.kind satisfies never;
    }
  };
}

function isRefusedCache(result: EndpointResult): boolean {
  return result.status === 'failed' && result.failure.kind === 'permanent' && isCacheRefusal(readRefusal(result.failure));
}

function readRefusal({ refusal, message }: ApiError): { readonly message: string; readonly param: string | null } {
  return { message: `${refusal?.message ?? ''} ${message}`, param: refusal?.param ?? null };
}

/** The tier of `mode: flex` is requested by every call: a refusal of it is one of the lane. */
function isRefusedTier(failure: ApiError, body: string): boolean {
  if (failure.kind !== 'permanent' || !asksForFlex(body)) return false;
  const { message, param } = readRefusal(failure);
  return /service[_ ]tier/.test(`${param} ${message}`);
}

function refuseTier(failure: ApiError): ApiError {
  const message = `this address does not sell the flex tier for this model: ${failure.message}; use mode: batch or mode: live`;
  return new ApiError(message, { kind: 'stop', code: 'flex_refused', status: failure.status, exitCode: EXIT.refused });
}

/** Ends the line of a call whose cache settings were refused. */
const UNDELIVERED = ',"isUndelivered":true}}';

/** Whether a line is the answer of a call that was repeated without its cache settings. */
export function isUndeliveredLine(line: string): boolean {
  return line.endsWith(UNDELIVERED);
}

const SIMULATED = ',"simulated":true';

/** Whether a simulator gave the answer, possibly to a worker elsewhere. */
export function isSimulatedLine(line: string): boolean {
  return line.endsWith(`${SIMULATED}}}`) || line.endsWith(SIMULATED + UNDELIVERED);
}

/** A line in the Batch output format with our own timing; `bodyText` is JSON and stays as received. */
function makeResponseLine(answer: {
  readonly id: string;
  readonly customId: string;
  readonly statusCode: number;
  readonly requestId: string;
  readonly bodyText: string;
  readonly queuedAt: Date;
  readonly startedAt: Date;
  readonly endedAt: Date;
  readonly waitMs: number;
  readonly callMs: number;
  readonly isSimulated: boolean;
  readonly isUndelivered: boolean;
}): string {
  const { queuedAt, startedAt, endedAt, waitMs, callMs } = answer;
  const timing = {
    lane: 'live',
    queuedAt: queuedAt.toISOString(),
    startedAt: startedAt.toISOString(),
    endedAt: endedAt.toISOString(),
    waitMs,
    callMs,
    ...(answer.isSimulated ? { simulated: true } : {}),
    ...(answer.isUndelivered ? { isUndelivered: true } : {}),
  };
  const { id, customId, statusCode, requestId, bodyText } = answer;
  const response = `{"status_code":${statusCode},"request_id":${JSON.stringify(requestId)},"body":${bodyText}}`;
  return `{"id":${JSON.stringify(id)},"custom_id":${JSON.stringify(customId)},"response":${response},"error":null,"rowmill":${JSON.stringify(timing)}}`;
}

/** Line breaks in JSON occur only between values, so removing them changes nothing, not even a number. */
function onOneLine(json: string): string {
  return json.replace(/[\r\n]+/g, ' ').trim();
}

/** The provider's message about a row, in the form of the API's own errors. */
function wordsOf({ code, message, refusal }: ApiError): object {
  if (refusal === null || refusal.form === 'none') return { code, message };
  return refusal.original ?? { message: refusal.message, type: refusal.type, param: refusal.param, code: refusal.code };
}
