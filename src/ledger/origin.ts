import { hash } from 'node:crypto';

/** The default API, used without a base URL. */
export const DEFAULT_ORIGIN = 'default';
/** The built-in simulator. */
export const SIMULATOR_ORIGIN = 'simulator';
export const DEFAULT_BASE_URL = 'https://api.openai.com/v1';

/** The path of nearly every API; it is left out. */
const USUAL_PATH = '/v1';
const MAX_PATH_NAME = 80;

/**
 * The origin of a base URL, used to name its state directory: `<host>[-<port>][-<path>]`. It represents the whole URL: an `s` follows the port
 * of https if one is given, http's default port is written out, and so is a path other than `/v1`, with `_` for each slash.
 */
export function originOf(baseUrl: string): string {
  const { protocol, hostname, port, pathname } = new URL(baseUrl);
  const path = pathname.replace(/\/+$/, '');
  if (`${protocol}//${hostname}${port === '' ? '' : `:${port}`}${path}` === DEFAULT_BASE_URL) return DEFAULT_ORIGIN;
  const host = hostname.replaceAll(/[^A-Za-z0-9.]/g, '_');
  const shownPort = protocol === 'https:' ? (port === '' ? '' : `${port}s`) : port === '' ? '80' : port;
  const shownPath = path === USUAL_PATH ? '' : namePath(path);
  return [host, shownPort, shownPath].filter((part) => part !== '').join('-');
}

/** Starts with `_`, as no port does, and is different for each path. */
function namePath(path: string): string {
  const named = (path === '' ? '/' : path).replaceAll(/[^A-Za-z0-9.]/g, (sign) =>
    sign === '/' ? '_' : `~${sign.charCodeAt(0).toString(16)}`,
  );
  return named.length <= MAX_PATH_NAME ? named : `${named.slice(0, MAX_PATH_NAME / 2)}~${hash('sha256', path, 'hex').slice(0, 16)}`;
}

/** The origin in early versions, whatever the scheme and path; null if it was the same. */
export function earlierOriginOf(origin: string): string | null {
  const { host, port } = split(origin);
  const earlier = port === null || port === '80' ? host : `${host}-${port.replace('s', '')}`;
  return earlier === origin ? null : earlier;
}

/** Whether a log that recorded one origin belongs to the other: early versions recorded less of it. */
export function isSameOrigin(recorded: string, origin: string): boolean {
  return recorded === origin || recorded === earlierOriginOf(origin);
}

/** The host of an origin, with its port if any; null for the default API and the built-in simulator. */
export function hostOfOrigin(origin: string): string | null {
  if (origin === DEFAULT_ORIGIN || origin === SIMULATOR_ORIGIN) return null;
  const { host, port } = split(origin);
  // No host name starts or ends with a hyphen: these were the brackets of an IPv6 address.
  const isNumbered = /^_.*_$/.test(host);
  return (
    (isNumbered ? `[${host.slice(1, -1).replaceAll('_', ':')}]` : host.replaceAll('_', '-')) +
    (port === null ? '' : `:${port.replace('s', '')}`)
  );
}

/** An origin in readable form. */
export function describeOrigin(origin: string): string {
  if (origin === DEFAULT_ORIGIN) return 'api.openai.com';
  return origin === SIMULATOR_ORIGIN ? 'the simulator (--simulate)' : origin;
}

function split(origin: string): { readonly host: string; readonly port: string | null } {
  const [host = '', second = ''] = origin.split('-');
  return { host, port: /^\d+s?$/.test(second) ? second : null };
}
