import type OpenAI from 'openai';
import { EXIT } from '../core/errors.ts';
import type { StartTimer } from '../core/timer.ts';
import { ApiError } from './api-error.ts';
import { classifyFailure } from './classify.ts';

/** One live call. */
export interface EndpointCall {
  /** The path of the API, for example `/v1/chat/completions`. */
  readonly url: string;
  /** The exact body JSON: these bytes are sent. */
  readonly body: string;
  /** Goes into `X-Client-Request-Id`. */
  readonly customId: string;
  /** Ends the call, whose fate is then not known. */
  readonly signal: AbortSignal;
}

/** What came of one live call. `headers` are null when no answer was seen. */
export type EndpointResult =
  | {
      readonly status: 'answered';
      readonly statusCode: number;
      readonly requestId: string;
      readonly headers: Headers;
      /** The body as it came, one JSON object, and the same parsed. */
      readonly bodyText: string;
      readonly body: Readonly<Record<string, unknown>>;
    }
  | {
      readonly status: 'failed';
      readonly failure: ApiError;
      readonly headers: Headers | null;
      /** The provider's `error` object, as it came; null without one. */
      readonly error: unknown;
    };

/** No answer we could use is larger. */
const MAX_ANSWER_BYTES = 32 * 2 ** 20;

/**
 * Makes one live call: one HTTP request, never repeated, with a deadline of its own over headers and body (the SDK's ends at the headers).
 * What fails is data, classified; an answer that is not what the endpoint gives (a proxy's page, a cut body) is a failure too.
 * @throws the reason of `call.signal` when it fires, and nothing else
 */
export async function callEndpoint(
  client: OpenAI,
  call: EndpointCall,
  { timeoutMs, clock, startTimer }: { readonly timeoutMs: number; readonly clock: () => Date; readonly startTimer: StartTimer },
): Promise<EndpointResult> {
  call.signal.throwIfAborted();
  // Not AbortSignal.any: over a million calls it would hold on to a signal that outlives them all.
  const deadline = new AbortController();
  const abort = () => deadline.abort();
  const stopTimer = startTimer(timeoutMs, abort);
  call.signal.addEventListener('abort', abort, { once: true });
  let headers: Headers | null = null;
  try {
    const response = (await client.post(call.url.replace(/^\/v1/, ''), {
      body: call.body,
      headers: { 'content-type': 'application/json', 'x-client-request-id': call.customId },
      signal: deadline.signal,
      timeout: timeoutMs,
      __binaryResponse: true,
    })) as Response;
    headers = response.headers;
    const requestId = headers.get('x-request-id') ?? '';
    const bodyText = await readText(response);
    return { status: 'answered', statusCode: response.status, requestId, headers, bodyText, body: readAnswer(bodyText, requestId) };
  } catch (error) {
    call.signal.throwIfAborted();
    const failure = deadline.signal.aborted ? lost(`no answer within ${timeoutMs / 1000} s`, 'timeout') : classifyFailure(error, clock());
    const seen = error as { readonly headers?: unknown; readonly error?: unknown };
    return { status: 'failed', failure, headers: seen.headers instanceof Headers ? seen.headers : headers, error: seen.error ?? null };
  } finally {
    stopTimer();
    call.signal.removeEventListener('abort', abort);
  }
}

/** @throws ApiError of kind `unknown` when the body is larger than any answer */
async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MAX_ANSWER_BYTES) throw lost('the answer is larger than 32 MB', 'huge_answer');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Every endpoint answers with one list of what it made: `choices`, `output` or `data`. */
function readAnswer(text: string, requestId: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = null;
  }
  const body = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  const hasAnswer = [body.choices, body.output, body.data].some(Array.isArray);
  if (!hasAnswer && (body.error === undefined || body.error === null)) {
    throw lost('the answer is not what this endpoint gives: is the base URL right, or a proxy in between', 'unexpected_shape', requestId);
  }
  return body;
}

function lost(message: string, code: string, requestId: string | null = null): ApiError {
  return new ApiError(message, { kind: 'unknown', code, requestId, exitCode: EXIT.notFinished });
}
