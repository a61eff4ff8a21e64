import { isLinkLocalAddress, isLoopbackHost, isPrivateAddress, isPrivateName } from '../core/bounds/private-address.ts';
import { UsageError } from '../core/errors.ts';
import { DEFAULT_BASE_URL } from '../ledger/origin.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * `--base-url`, `ROWMILL_BASE_URL`, `OPENAI_BASE_URL`, the default: in this order. Every visible mistake in an address is reported
 * here, before anything is sent there.
 * @throws UsageError for an invalid base URL, and for plain http if rows or a key would be visible to others
 */
export function chooseBaseUrl(flag: string | undefined, env: Environment = process.env): string {
  const chosen = listBaseUrls(flag, env)[0];
  if (chosen === undefined) return DEFAULT_BASE_URL;
  if (!URL.canParse(chosen) || HOST_AND_PORT.test(chosen))
    throw new UsageError(`base URL ${JSON.stringify(chosen)} is not a URL; use for example --base-url ${completeUrl(chosen.trim())}`);
  const url = new URL(chosen);
  if (url.username !== '' || url.password !== '')
    throw new UsageError(`base URL ${url.host}: a key does not belong in the URL; set OPENAI_API_KEY`);
  checkForm(url);
  checkTransport(url, env);
  return chosen.trim().replace(/\/+$/, '');
}

/** A host with a port also parses as a URL, with the host as its scheme. */
const HOST_AND_PORT = /^\s*[\w.-]+:\d+(\/|\s*$)/;

/** What was probably meant by an address without its scheme. */
function completeUrl(chosen: string): string {
  const found = ['http', 'https'].map((scheme) => `${scheme}://${chosen}`).filter((text) => !chosen.includes('@') && URL.canParse(text));
  const [plain = 'http://127.0.0.1:8080/v1', encrypted = plain] = found;
  const { hostname, pathname } = new URL(plain);
  const url = isLoopbackHost(hostname) || isPrivateAddress(hostname) || isPrivateName(hostname) ? plain : encrypted;
  return pathname === '/' ? `${url.replace(/\/+$/, '')}/v1` : url;
}

/** Whether a base URL was given for this command, by flag or environment. */
export function hasBaseUrl(flag: string | undefined, env: Environment = process.env): boolean {
  return listBaseUrls(flag, env).length > 0;
}

/** Whether a server at this address usually needs no key: over plain http, on this machine or in a private network. */
export function mayDoWithoutKey(baseUrl: string): boolean {
  return new URL(baseUrl).protocol === 'http:';
}

function listBaseUrls(flag: string | undefined, env: Environment): readonly string[] {
  return [flag, env.ROWMILL_BASE_URL, env.OPENAI_BASE_URL].filter((value): value is string => value !== undefined && value.trim() !== '');
}

/** The paths of calls, which are not part of a base URL. */
const CALL_PATHS = /\/(chat\/completions|completions|responses|embeddings|batches|files|models)\/?$/;

function checkForm(url: URL): void {
  const bare = `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
  if (url.search !== '' || url.hash !== '' || /[?#]$/.test(url.href)) {
    const azure = /(^|&|\?)api-version=/.test(url.search) ? `; Azure's v1 API needs no version: ${url.origin}/openai/v1` : '';
    throw new UsageError(`base URL ${bare}: the paths of calls follow it, so it can have no query and no fragment${azure}`);
  }
  if (CALL_PATHS.test(url.pathname))
    throw new UsageError(`base URL ${bare}: leave out the path of the call; use --base-url ${bare.replace(CALL_PATHS, '')}`);
}

/**
 * Plain http can be read by everybody on the way. It is allowed on this machine; in a private network (where vLLM and Ollama mostly run) it is allowed
 * without a key, or for the hosts named by `ROWMILL_HTTP_HOSTS` (docs/decisions/2026-11-29-plain-http.md).
 */
function checkTransport(url: URL, env: Environment): void {
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopbackHost(url.hostname))) return;
  if (url.protocol !== 'http:') throw new UsageError(`base URL ${url.protocol}//${url.host}: must begin with https:// or http://`);
  const isOwn = !isLinkLocalAddress(url.hostname) && (isPrivateAddress(url.hostname) || isPrivateName(url.hostname));
  if (isNamed(url, env)) return;
  if (isOwn && !hasKey(env)) return;
  const anyone = isOwn
    ? `the API key would cross the network unencrypted; unset OPENAI_API_KEY and OPENAI_API_KEY_FILE if the server needs none, or allow it with ROWMILL_HTTP_HOSTS=${url.host}`
    : 'rows and key go over https only, except on this machine and in private networks';
  throw new UsageError(`base URL ${url.origin}: ${anyone}`);
}

function isNamed({ host, hostname }: URL, env: Environment): boolean {
  const named = (env.ROWMILL_HTTP_HOSTS ?? '').split(/[\s,]+/).map((name) => name.toLowerCase());
  return named.includes(host) || named.includes(hostname);
}

function hasKey(env: Environment): boolean {
  return (env.OPENAI_API_KEY?.trim() ?? '') !== '' || (env.OPENAI_API_KEY_FILE ?? '') !== '';
}
