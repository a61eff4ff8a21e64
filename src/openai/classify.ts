import { isModelCode, MODEL_REFUSED, QUOTA_CODES, refusesModel } from '../core/answer/refusal-codes.ts';
import { EXIT } from '../core/errors.ts';
import { keepRequestId } from '../core/response-line.ts';
import { ApiError, type FailureKind } from './api-error.ts';
import { findKnownProvider } from './known-providers.ts';
import { BAD_PORT, isCertificateCode, isProxyRefusal, type Transport } from './permanent-cause.ts';
import { type Refusal, readRefusal } from './refusal.ts';
import { capWait, readAskedWait } from './retry-after.ts';

/** Codes of failures that happen before a byte of the request is sent. */
const NOT_SENT_CODES: ReadonlySet<string> = new Set([
  'ENOTFOUND',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'EPROTO',
  'UND_ERR_CONNECT_TIMEOUT',
  BAD_PORT,
]);

/** The fields of the SDK's errors that are read here; the SDK is not imported, so that classifying costs no load time. */
interface SdkError {
  readonly name?: string;
  readonly message?: string;
  readonly status?: number;
  readonly headers?: Headers;
  readonly error?: unknown;
  readonly requestID?: string | null;
  readonly cause?: unknown;
}

/** What kind of call failed, and where. */
export interface FailedCall {
  /** `read`: a GET. `effect`: a call that may cost something or change something. `live`: a row's own call. */
  readonly type: 'read' | 'effect' | 'live';
  readonly baseUrl: string;
  /** Whether `insufficient_quota` may mean a rate limit there. */
  readonly quotaMayBeRate?: boolean;
  /** Where the key came from, in words; absent if that does not matter. */
  readonly keySource?: string;
}

/** The code of a refusal that says that the route of the call does not exist. */
export const WRONG_ADDRESS = 'wrong_address';

/**
 * One classifier for every call (openai 6.49.0, behaviour seen 2026-11-21). Anything that is not known to be harmless is `unknown`. The body of
 * a refusal is in `error.text`, where `keepRefusedBody` puts it.
 */
export function classifyFailure(error: unknown, now: Date, call: FailedCall): ApiError {
  if (error instanceof ApiError) return error;
  const failure = (typeof error === 'object' && error !== null ? error : {}) as SdkError;
  if (typeof failure.status === 'number') return classifyAnswered(failure, failure.status, now, call);
  const transport = findTransport(failure);
  if (transport !== null && isNotSent(transport)) {
    return new ApiError(`no connection (${transport.code})`, { kind: 'not-sent', code: transport.code, exitCode: EXIT.notFinished });
  }
  const what = transport?.code ?? failure.name ?? 'unknown failure';
  if (/^(UND_ERR_HEADERS|HPE_HEADER)_OVERFLOW$/.test(what))
    return new ApiError('the answer has more headers than the 16 KB Node reads: is the base URL right, or a proxy in between', {
      kind: 'unknown',
      code: 'huge_headers',
      exitCode: EXIT.notFinished,
    });
  return new ApiError(`the answer was lost (${what})`, { kind: 'unknown', code: what, exitCode: EXIT.notFinished });
}

function isNotSent({ code, said }: Transport): boolean {
  return NOT_SENT_CODES.has(code) || isCertificateCode(code) || /^ERR_(SSL|TLS)_/.test(code) || isProxyRefusal(said);
}

function classifyAnswered(failure: SdkError, status: number, now: Date, call: FailedCall): ApiError {
  const refusal = readRefusal(textOf(failure.error));
  const said = hideKeys(refusal.message === '' ? 'without an explanation' : refusal.message);
  const code = refusal.code ?? `http_${status}`;
  const askedMs = readAskedWait(failure.headers, said, now);
  const options = { code, status, requestId: keepRequestId(failure.requestID ?? ''), askedMs, retryAfterMs: capWait(askedMs), refusal };
  if (status >= 300 && status < 400) {
    const target = hostOf(failure.headers?.get('location') ?? '');
    const message = `the base URL redirects to ${target}; rows never follow a redirect, so use that address as the base URL if it is right`;
    return new ApiError(message, { ...options, kind: 'stop', code: 'redirect', exitCode: EXIT.usage });
  }
  const message = `${status} ${said}`;
  const isRate = call.quotaMayBeRate === true && status === 429;
  if (!isRate && isAboutAccount(status, refusal))
    return new ApiError(`the account has no money or quota left: ${message}`, { ...options, kind: 'stop' });
  if (refusesModel(refusal, status)) {
    const model = { ...options, kind: 'stop', code: isModelCode(code) ? code : MODEL_REFUSED, exitCode: EXIT.refused } as const;
    return new ApiError(`the provider does not offer this model: ${message}`, model);
  }
  if (status === 401 || status === 403) {
    const source = call.keySource === undefined ? '' : ` in ${call.keySource}`;
    return new ApiError(`the provider refused the API key${source}: ${message}`, { ...options, kind: 'stop', exitCode: EXIT.refused });
  }
  if (call.type === 'live' && isNoSuchPlace(status, refusal))
    return new ApiError(`${message}: ${adviseBaseUrl(call.baseUrl)}`, { ...options, kind: 'permanent', code: WRONG_ADDRESS });
  return new ApiError(message, { ...options, kind: kindOf(status, refusal, call) });
}

/** Codes, types and statuses that are about the account: no row is at fault, and waiting does not help. */
function isAboutAccount(status: number, { code, type }: Refusal): boolean {
  return status === 402 || [code, type].some((word) => word !== null && QUOTA_CODES.has(word));
}

/** 404 and similar, from an API, a gateway or a page; some servers send it with status 200. */
export function isNoSuchPlace(status: number, { message }: Refusal): boolean {
  return status === 404 || status === 405 || status === 501 || (status === 200 && /^unexpected endpoint or method/i.test(message));
}

export function adviseBaseUrl(baseUrl: string): string {
  return `${baseUrl} is probably not the base URL of the API${proposeBaseUrl(baseUrl)}`;
}

/** Where the API probably is instead, as the end of a sentence; empty if this may well be the right address. */
export function proposeBaseUrl(baseUrl: string): string {
  const likely = findLikelyBaseUrl(baseUrl);
  if (likely === null) return '';
  const { name, path } = findKnownProvider(baseUrl);
  return `; ${name === '' ? 'most servers have the API below /v1' : `${name} has the API at ${path}`}: try --base-url ${likely}`;
}

/** The same address with the usual path: a known provider has its API at one, most servers below `/v1`. Null if it has that path, or another version. */
export function findLikelyBaseUrl(baseUrl: string): string | null {
  const { origin, pathname } = new URL(baseUrl);
  const { name, path } = findKnownProvider(baseUrl);
  if (name !== '') return pathname === path ? null : `${origin}${path}`;
  return /\/v\d+[a-z]*(\/|$)/.test(pathname) ? null : `${baseUrl}/v1`;
}

function kindOf(status: number, refusal: Refusal, call: FailedCall): FailureKind {
  // The model's own JSON was invalid, which another try may fix (Groq, seen 2026-11).
  if (refusal.code === 'json_validate_failed') return 'again';
  // No capacity for the flex tier, with a special status at Groq (seen 2026-11).
  if (status === 498 && refusal.form === 'api') return 'wait';
  if (status === 429) return /^Request too large/.test(refusal.message) ? 'permanent' : 'wait';
  // A gateway that lost a call may say so as text.
  const isOfApi = refusal.form === 'api' || (refusal.form === 'text' && status < 500);
  if (status === 408 || status === 409 || status >= 500) return isOfApi ? 'again' : 'unknown';
  // A 4xx is a refusal whatever its words; for a read it may come from a gateway, and then proves nothing.
  return call.type !== 'read' || isOfApi || status === 413 ? 'permanent' : 'unknown';
}

/** API keys that the provider may quote are masked. */
function hideKeys(message: string): string {
  return message.replaceAll(/\b(sk|rk|pk)-[A-Za-z0-9_*-]{6,}/g, '[key]');
}

function textOf(error: unknown): string {
  const text = typeof error === 'object' && error !== null ? (error as { text?: unknown }).text : undefined;
  return typeof text === 'string' ? text : '';
}

/** The code that Node or undici gives a connection failure, nested some causes deep. */
export function findTransport(failure: unknown): Transport | null {
  let current: unknown = failure;
  let said = '';
  for (let depth = 0; depth < 5 && typeof current === 'object' && current !== null; depth += 1) {
    const { code, message, cause } = current as { code?: unknown; message?: unknown; cause?: unknown };
    if (typeof message === 'string') said += ` ${message}`;
    if (typeof code === 'string') return { code, said };
    // The only failure of fetch with a message and no code.
    if (message === 'bad port') return { code: BAD_PORT, said };
    current = cause;
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
