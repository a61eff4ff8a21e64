import type { Dispatcher } from 'undici';
import { UsageError } from '../core/errors.ts';

/** How calls leave this machine. */
export interface Way {
  readonly fetch: typeof fetch;
  /** What the environment names; null where it names no proxy. */
  readonly proxy: ProxySettings | null;
  /** What holds the connections of live calls, the same way out. One serves all calls: undici is loaded with the first. */
  readonly openPool: () => Promise<Dispatcher>;
}

export interface ProxySettings {
  /** The variable that names it. */
  readonly variable: string;
  /** Host and port; never user and password. */
  readonly host: string;
  /** Hosts that are reached without it, as NO_PROXY lists them, and always this machine. */
  readonly exempt: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The built-in simulator and local servers are never behind a proxy. */
const THIS_MACHINE = 'localhost,127.0.0.1,[::1]';

/**
 * Node's own fetch, and where the environment names a proxy one that goes through it: HTTPS_PROXY, HTTP_PROXY, NO_PROXY, also in lower case.
 * Node's fetch ignores these up to version 23. NODE_EXTRA_CA_CERTS is Node's own: it is read when the process starts, and holds for all of them.
 * @param connectMs how long a connection may take to come about, TLS included; without it undici's ten seconds. What has no connection was not sent
 * @throws UsageError for a proxy that is no URL
 */
export async function openWay(env: Environment, connectMs: number | null = null): Promise<Way> {
  const https = readProxy(env, ['https_proxy', 'HTTPS_PROXY']);
  const http = readProxy(env, ['http_proxy', 'HTTP_PROXY']);
  const named = https ?? http;
  // undici knows the star only when it stands alone.
  const exempt = (env.no_proxy ?? env.NO_PROXY ?? '').split(/[\s,]+/).filter((entry) => entry !== '');
  const connect = connectMs === null ? {} : { timeout: connectMs };
  if (named === null || exempt.includes('*')) {
    if (connectMs !== null) {
      const dispatcher = new (await import('undici')).Agent({ connect });
      return { fetch: fetchBy(dispatcher), proxy: null, openPool: async () => dispatcher };
    }
    return { fetch: (input, init) => fetch(input, init), proxy: null, openPool: once(async () => new (await import('undici')).Agent()) };
  }
  const { EnvHttpProxyAgent } = await import('undici');
  const dispatcher = new EnvHttpProxyAgent({
    ...(http === null ? {} : { httpProxy: http.url.href }),
    httpsProxy: named.url.href,
    noProxy: [THIS_MACHINE, ...exempt].join(','),
    ...{ connect, proxyTls: connect, requestTls: connect },
  });
  return {
    fetch: fetchBy(dispatcher),
    proxy: { variable: named.variable, host: named.url.host, exempt: exempt.join(', ') },
    openPool: async () => dispatcher,
  };
}

/** undici's agent under Node's own fetch: their types differ by version, not in what they do. */
function fetchBy(dispatcher: Dispatcher): typeof fetch {
  return (input, init) => fetch(input, { ...({ dispatcher } as object), ...init });
}

function once(open: Way['openPool']): Way['openPool'] {
  let opened: ReturnType<typeof open> | null = null;
  return () => {
    opened ??= open();
    return opened;
  };
}

function readProxy(env: Environment, names: readonly string[]): { readonly variable: string; readonly url: URL } | null {
  const variable = names.find((name) => (env[name] ?? '') !== '');
  if (variable === undefined) return null;
  const text = env[variable] as string;
  try {
    const url = new URL(text.includes('://') ? text : `http://${text}`);
    if (['http:', 'https:'].includes(url.protocol) && url.hostname !== '') return { variable, url };
  } catch {
    // Told below, without the text: it may hold a password.
  }
  throw new UsageError(`${variable} is no address of a proxy; give a URL, for example http://proxy.example:3128`);
}
