import { boundAnswerBytes, readAllowed } from '../core/bounds/answer-size.ts';
import { ANSWER_BOUNDS, isBeyondBounds } from '../core/bounds/json-size.ts';
import { asksForFlex } from '../core/delivery.ts';
import { EXIT } from '../core/errors.ts';
import { keepRequestId } from '../core/response-line.ts';
import type { StartTimer } from '../core/timer.ts';
import { ApiError } from './api-error.ts';
import { adviseBaseUrl, isNoSuchPlace, WRONG_ADDRESS } from './classify.ts';
import { deliverBody } from './deliver-body.ts';
import { learnFromAnswer, learnFromRefusal } from './form-learning.ts';
import type { AddressForms } from './forms.ts';
import type { LargeAnswers } from './large-answers.ts';
import type { Client, PooledInit } from './open-client.ts';
import { readText } from './read-bounded.ts';
import { readRefusal } from './refusal.ts';

/** One live call. */
export interface EndpointCall {
  /** The path of the API, for example `/v1/chat/completions`. */
  readonly url: string;
  /** The job's own body; what is sent may differ in the forms of the address. */
  readonly body: string;
  /** Sent as `X-Client-Request-Id`. */
  readonly customId: string;
  /** Ends the call, whose result is then unknown. */
  readonly signal: AbortSignal;
}

/** The result of one live call. `headers` are null if no response was received. */
export type EndpointResult =
  | {
      readonly status: 'answered';
      readonly statusCode: number;
      readonly requestId: string;
      readonly headers: Headers;
      /** The body as received, one JSON object, and the same parsed. */
      readonly bodyText: string;
      readonly body: Readonly<Record<string, unknown>>;
    }
  | {
      readonly status: 'failed';
      readonly failure: ApiError;
      readonly headers: Headers | null;
    };

export interface EndpointOptions {
  readonly client: Client;
  readonly forms: AddressForms;
  readonly largeAnswers: LargeAnswers;
  readonly timeoutMs: number;
  readonly clock: () => Date;
  readonly startTimer: StartTimer;
}

/** Calls at the flex price may be held for a long time; OpenAI’s guide recommends a quarter of an hour (seen 2026-11-29). */
const FLEX_TIMEOUT_MS = 900_000;

/** No usable answer is larger. */
const MAX_ANSWER_BYTES = 32 * 2 ** 20;
/** This much of each answer is read at once; the rest of it when no other call is reading more. */
const SMALL_ANSWER_BYTES = 256 * 1024;

/**
 * Makes one live call: one HTTP request, never repeated, with a deadline over headers and body (the SDK's ends at the headers).
 * A failure is data, classified; a response that is not what the endpoint returns (a proxy's page, a truncated body) is a failure too.
 * @throws only the reason of `call.signal`, when it fires
 */
export async function callEndpoint(
  { client, forms, clock, largeAnswers, startTimer, ...options }: EndpointOptions,
  call: EndpointCall,
): Promise<EndpointResult> {
  call.signal.throwIfAborted();
  const isFlex = asksForFlex(call.body);
  const timeoutMs = isFlex ? FLEX_TIMEOUT_MS : options.timeoutMs;
  // Not AbortSignal.any: over a million calls it would hold on to a signal that outlives them all.
  const deadline = new AbortController();
  const abort = () => deadline.abort();
  const stopTimer = startTimer(timeoutMs, abort);
  call.signal.addEventListener('abort', abort, { once: true });
  const sentForms = forms.now;
  const sentBody = deliverBody(call.url, call.body, sentForms);
  let headers: Headers | null = null;
  let endTurn = () => {};
  try {
    const response = (await client.sdk.post(call.url.replace(/^\/v1/, ''), {
      body: sentBody,
      headers: { 'content-type': 'application/json', 'x-client-request-id': call.customId },
      signal: deadline.signal,
      timeout: timeoutMs,
      fetchOptions: { patienceMs: timeoutMs } satisfies PooledInit as object,
      __binaryResponse: true,
    })) as Response;
    headers = response.headers;
    const requestId = keepRequestId(headers.get('x-request-id') ?? '');
    const bodyText = await readAnswerText(response, sentBody, { largeAnswers, signal: deadline.signal, onTurn: (end) => (endTurn = end) });
    const body = readAnswer(bodyText, { requestId, baseUrl: client.sdk.baseURL });
    learnFromAnswer({ url: call.url, body: sentBody, usage: body.usage }, forms, sentForms);
    return { status: 'answered', statusCode: response.status, requestId, headers, bodyText, body };
  } catch (error) {
    call.signal.throwIfAborted();
    const failure = deadline.signal.aborted
      ? lost(`no answer within ${timeoutMs / 1000} s`, 'timeout')
      : client.classify(error, 'live', clock());
    const seen = (error as { readonly headers?: unknown }).headers;
    return {
      status: 'failed',
      failure: learnFromRefusal(failure, forms, ['cap'], sentForms) ?? failure,
      headers: seen instanceof Headers ? seen : headers,
    };
  } finally {
    endTurn();
    stopTimer();
    call.signal.removeEventListener('abort', abort);
  }
}

/** @throws ApiError of kind `unknown` if it is longer than any answer to the request can be */
function readAnswerText(
  response: Response,
  request: string,
  turn: { readonly largeAnswers: LargeAnswers; readonly signal: AbortSignal; readonly onTurn: (end: () => void) => void },
): Promise<string> {
  let boundBytes: number | null = null;
  return readText(response, MAX_ANSWER_BYTES, async (bytes) => {
    if (bytes <= SMALL_ANSWER_BYTES) return;
    const isFirst = boundBytes === null;
    boundBytes ??= boundAnswerBytes(readAllowed(request), { requests: 1, requestBytes: Buffer.byteLength(request) });
    if (bytes > boundBytes) throw lost('the answer is longer than any answer to this request can be', 'huge_answer');
    if (isFirst) turn.onTurn(await turn.largeAnswers.takeTurn(turn.signal));
  });
}

/** The stored line nests the body two levels deep, next to some members of its own. */
const BODY_BOUNDS = { levels: ANSWER_BOUNDS.levels - 2, values: ANSWER_BOUNDS.values - 20 };

/** Any JSON object is an answer, judged later; except one that says that there is no such route. */
function readAnswer(
  text: string,
  { requestId, baseUrl }: { readonly requestId: string; readonly baseUrl: string },
): Record<string, unknown> {
  let value: unknown;
  if (isBeyondBounds(text, BODY_BOUNDS)) throw lost('the answer is larger than any answer can be', 'huge_answer', requestId);
  try {
    value = JSON.parse(text);
  } catch {
    value = null;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw lost(
      'the answer is not what this endpoint returns: is the base URL right, or is there a proxy in between',
      'unexpected_shape',
      requestId,
    );
  }
  const body = value as Record<string, unknown>;
  const hasAnswer = ['choices', 'output', 'data'].some((name) => name in body);
  const refusal = hasAnswer ? null : readRefusal(text);
  if (refusal !== null && isNoSuchPlace(200, refusal)) {
    const message = `${refusal.message}: ${adviseBaseUrl(baseUrl)}`;
    throw new ApiError(message, { kind: 'permanent', code: WRONG_ADDRESS, status: 404, requestId, refusal });
  }
  return body;
}

function lost(message: string, code: string, requestId: string | null = null): ApiError {
  return new ApiError(message, { kind: 'unknown', code, requestId, exitCode: EXIT.notFinished });
}
