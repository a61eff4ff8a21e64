import type { Dispatcher } from 'undici';
import { UsageError } from '../../core/errors.ts';
import { fenceCalls } from './fence-calls.ts';
import { fetchPooled, type PooledCall, type PooledResponse } from './pooled-fetch.ts';

/** How calls leave this machine. */
export interface Way {
  readonly fetch: typeof fetch;
  /** The proxy in the environment; null if there is none. */
  readonly proxy: ProxySettings | null;
  /**
   * Opens what makes the calls that spend, once for all of them, the same way out: undici is loaded with it.
   * @param assertMaySpend asked at the last moment there is; what it throws is what the call comes to
   */
  readonly openSpending: (assertMaySpend: () => void) => Promise<Spend>;
}

/** Makes one call that spends. @throws the signal's reason when it fires, and failures of the connection with their code */
export type Spend = (url: string, call: PooledCall) => Promise<PooledResponse>;

export interface ProxySettings {
  /** The variable that names it. */
  readonly variable: string;
  /** Host and port; never user and password. */
  readonly host: string;
  /** Hosts that are reached without it, as listed in NO_PROXY, and always this machine. */
  readonly exempt: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The built-in simulator and local servers are never behind a proxy. */
const THIS_MACHINE = 'localhost,127.0.0.1,[::1]';

/**
 * The fetch of this process (in the published code undici's, elsewhere Node's own) or, if the environment names a proxy, one that goes through it: HTTPS_PROXY, HTTP_PROXY, NO_PROXY, also in lower case.
 * Node's fetch ignores these up to version 23. NODE_EXTRA_CA_CERTS is handled by Node: it is read at process start, and applies to all connections.
 * @param connectMs how long a connection may take to be established, TLS included; default: undici's ten seconds. Without a connection nothing was sent
 * @throws UsageError for a proxy that is not a URL
 */
export async function openWay(env: Environment, connectMs: number | null = null): Promise<Way> {
  const https = readProxy(env, ['https_proxy', 'HTTPS_PROXY']);
  const http = readProxy(env, ['http_proxy', 'HTTP_PROXY']);
  const named = https ?? http;
  // undici accepts the star only on its own.
  const exempt = (env.no_proxy ?? env.NO_PROXY ?? '').split(/[\s,]+/).filter((entry) => entry !== '');
  const connect = connectMs === null ? {} : { timeout: connectMs };
  if (named === null || exempt.includes('*')) {
    if (connectMs !== null) {
      const dispatcher = new (await import('undici')).Agent({ connect });
      return { fetch: fetchBy(dispatcher), proxy: null, openSpending: spendBy(async () => dispatcher) };
    }
    return {
      fetch: (input, init) => fetch(input, init),
      proxy: null,
      openSpending: spendBy(async () => new (await import('undici')).Agent()),
    };
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
    openSpending: spendBy(async () => dispatcher),
  };
}

/** undici's agent under the fetch of this process: the types of Node's differ by version, their behaviour does not. */
function fetchBy(dispatcher: Dispatcher): typeof fetch {
  return (input, init) => fetch(input, { ...({ dispatcher } as object), ...init });
}

function spendBy(openPool: () => Promise<Dispatcher>): Way['openSpending'] {
  return async (assertMaySpend) => {
    const pool = fenceCalls(await openPool(), assertMaySpend);
    return (url, call) => fetchPooled(pool, url, call);
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
    // Reported below, without the text: it may contain a password.
  }
  throw new UsageError(`${variable} is not a proxy address; give a URL, for example http://proxy.example:3128`);
}
