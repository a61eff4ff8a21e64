import { EXIT } from '../core/errors.ts';
import { QUOTA_CODES } from '../core/response-line.ts';
import { ApiError, type FailureKind } from './api-error.ts';
import { readRetryAfter } from './retry-after.ts';

/** Codes of failures that happen before a byte of the request is on its way. */
const NOT_SENT_CODES: ReadonlySet<string> = new Set([
  'ENOTFOUND',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_HAS_EXPIRED',
]);

/** The fields of the SDK's errors that are read here; the SDK is not imported, so that classifying costs no load time. */
interface SdkError {
  readonly name?: string;
  readonly message?: string;
  readonly status?: number;
  readonly headers?: Headers;
  readonly error?: unknown;
  readonly code?: string | null;
  readonly requestID?: string | null;
  readonly cause?: unknown;
}

/**
 * One classifier for every call (openai 6.49.0, behaviour seen 2026-11-21). Anything that is not recognised as harmless is `unknown`.
 */
export function classifyFailure(error: unknown, now: Date): ApiError {
  if (error instanceof ApiError) return error;
  const failure = (typeof error === 'object' && error !== null ? error : {}) as SdkError;
  if (typeof failure.status === 'number') return classifyAnswered(failure, failure.status, now);
  const transportCode = findTransportCode(failure);
  if (
    transportCode !== null &&
    (NOT_SENT_CODES.has(transportCode) || transportCode.startsWith('ERR_SSL_') || transportCode.startsWith('ERR_TLS_'))
  ) {
    return new ApiError(`no connection (${transportCode})`, { kind: 'not-sent', code: transportCode, exitCode: EXIT.notFinished });
  }
  const what = transportCode ?? failure.name ?? 'unknown failure';
  return new ApiError(`the answer was lost (${what})`, { kind: 'unknown', code: what, exitCode: EXIT.notFinished });
}

function classifyAnswered(failure: SdkError, status: number, now: Date): ApiError {
  // Ollama and others say what is wrong with a request in a plain text; a gateway that lost one may do the same.
  const hasApiError = (typeof failure.error === 'object' && failure.error !== null) || (typeof failure.error === 'string' && status < 500);
  const code = typeof failure.code === 'string' && failure.code !== '' ? failure.code : `http_${status}`;
  const said = messageOf(failure.error);
  const options = { code, status, requestId: failure.requestID ?? null, retryAfterMs: readRetryAfter(failure.headers, said, now) };
  if (status >= 300 && status < 400) {
    const target = hostOf(failure.headers?.get('location') ?? '');
    return new ApiError(
      `the base URL redirects to ${target}; rows are never sent on, so give that address as the base URL if it is right`,
      {
        ...options,
        kind: 'stop',
        code: 'redirect',
        exitCode: EXIT.usage,
      },
    );
  }
  const message = `${status} ${said}`;
  if (status === 401 || status === 403)
    return new ApiError(`the provider refused the API key: ${message}`, { ...options, kind: 'stop', exitCode: EXIT.refused });
  if (code === 'model_not_found')
    return new ApiError(`the provider does not offer this model: ${message}`, { ...options, kind: 'stop', exitCode: EXIT.refused });
  if (QUOTA_CODES.has(code)) return new ApiError(`the account has no money or quota left: ${message}`, { ...options, kind: 'stop' });
  // 413 may come from a proxy without a word; any other error without the API's own body says nothing about what was done.
  if (!hasApiError && status !== 413) return new ApiError(message, { ...options, kind: 'unknown' });
  return new ApiError(message, { ...options, kind: kindOf(status, said) });
}

function kindOf(status: number, said: string): FailureKind {
  if (status === 429) return /^Request too large/.test(said) ? 'permanent' : 'wait';
  if (status === 408 || status === 409 || status >= 500) return 'again';
  return 'permanent';
}

/** The provider's own sentence; keys it may repeat are cut out. */
function messageOf(body: unknown): string {
  const message = typeof body === 'object' && body !== null ? (body as { message?: unknown }).message : body;
  return typeof message === 'string' ? message.replaceAll(/\b(sk|rk|pk)-[A-Za-z0-9_*-]{6,}/g, '[key]') : 'without an explanation';
}

function findTransportCode(failure: SdkError): string | null {
  let current: unknown = failure;
  for (let depth = 0; depth < 5 && typeof current === 'object' && current !== null; depth += 1) {
    const { code } = current as { code?: unknown };
    if (typeof code === 'string') return code;
    current = (current as { cause?: unknown }).cause;
  }
  return null;
}

function hostOf(location: string): string {
  try {
    return new URL(location).host;
  } catch {
    return 'another address';
  }
}
