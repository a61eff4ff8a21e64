import type { lookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { Readable } from 'node:stream';
import type { ReadableStream as WebStream } from 'node:stream/web';
import { isPrivateAddress, isPrivateName } from '../../core/bounds/private-address.ts';
import { EXIT } from '../../core/errors.ts';
import { ApiError } from '../api-error.ts';

const REDIRECTS: ReadonlySet<unknown> = new Set([301, 302, 303, 307, 308]);

export interface StorageOptions {
  readonly signal: AbortSignal;
  /** A fetch through a proxy, which then also resolves the host; null without one. */
  readonly proxyFetch: typeof fetch | null;
  /** Whether an address must not be contacted. */
  readonly isForbidden?: (address: string) => boolean;
  /** Resolves a name. */
  readonly lookup?: typeof lookup;
}

/**
 * The body of a file. Some gateways redirect to storage on another host, which is followed once: over https, without the key, and never
 * to an address in a private network, whatever name it has.
 * @throws ApiError of kind `stop` for a redirect that is not followed, `again` if the storage does not return the file
 */
export async function openStoredContent(
  openContent: (signal: AbortSignal) => Promise<Response>,
  { signal, proxyFetch, lookup, isForbidden = isPrivateAddress }: StorageOptions,
): Promise<Readable> {
  try {
    return bodyOf(await openContent(signal));
  } catch (error) {
    const { status, headers } = error as { readonly status?: unknown; readonly headers?: Headers };
    if (!REDIRECTS.has(status)) throw error;
    const url = readTarget(headers?.get('location') ?? '', isForbidden);
    return proxyFetch === null
      ? openDirectly(url, { signal, isForbidden, ...(lookup === undefined ? {} : { lookup }) })
      : openThroughProxy(url, signal, proxyFetch);
  }
}

function readTarget(location: string, isForbidden: (address: string) => boolean): URL {
  const url = URL.canParse(location) ? new URL(location) : null;
  if (url === null || url.protocol !== 'https:') throw notFollowed(url?.host ?? 'another place', 'it is not an https address');
  if (isForbidden(url.hostname) || isPrivateName(url.hostname)) throw notFollowed(url.host, 'it is an address of a private network');
  // User and password in it are not ours.
  url.username = '';
  url.password = '';
  return url;
}

async function openThroughProxy(url: URL, signal: AbortSignal, proxyFetch: typeof fetch): Promise<Readable> {
  const response = await proxyFetch(url, { redirect: 'manual', signal });
  if (response.status === 200) return bodyOf(response);
  await response.body?.cancel();
  throw notGiven(url.host, response.status);
}

/** Resolved and connected in one step, so that a name cannot resolve to one address when checked and another when used. */
async function openDirectly(
  url: URL,
  { signal, isForbidden, lookup: given }: Omit<StorageOptions, 'proxyFetch'> & Required<Pick<StorageOptions, 'isForbidden'>>,
): Promise<Readable> {
  const [https, dns] = await Promise.all([import('node:https'), import('node:dns')]);
  const lookup = given ?? dns.lookup;
  return new Promise((resolve, reject) => {
    const lookUpChecked: LookupFunction = (hostname, options, done) =>
      lookup(hostname, { ...options, all: true }, (error, addresses) => {
        if (error !== null) return done(error, []);
        if (addresses.some(({ address }) => isForbidden(address)))
          return done(notFollowed(url.host, 'its name means a private network'), []);
        const [first] = addresses;
        if (options.all === true) done(null, addresses);
        else done(null, first?.address ?? '', first?.family ?? 0);
      });
    const request = https.get(url, { signal, ...(isIP(url.hostname) === 0 ? { lookup: lookUpChecked } : {}) }, (response) => {
      if (response.statusCode === 200) return resolve(response);
      response.destroy();
      reject(notGiven(url.host, response.statusCode ?? 0));
    });
    request.on('error', reject);
  });
}

function bodyOf({ body }: { readonly body: ReadableStream | Readable | null }): Readable {
  return body instanceof Readable ? body : Readable.fromWeb((body ?? new Blob([]).stream()) as WebStream);
}

function notFollowed(host: string, why: string): ApiError {
  const message = `the provider keeps the file at ${host}, and ${why}: it is not gone to; the file stays there, so run the same command again when that is mended`;
  return new ApiError(message, { kind: 'stop', code: 'redirect', exitCode: EXIT.stopped });
}

function notGiven(host: string, status: number): ApiError {
  return new ApiError(`the storage at ${host} answers ${status}`, { kind: 'again', code: 'storage', status: null });
}
