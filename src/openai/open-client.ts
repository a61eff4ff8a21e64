import type OpenAI from 'openai';
import { EXIT } from '../core/errors.ts';
import { ApiError } from './api-error.ts';
import { classifyFailure, type FailedCall, findTransport } from './classify.ts';
import { findPermanentCause } from './permanent-cause.ts';
import { keepRefusedBody } from './refused-body.ts';
import { openWay, type ProxySettings, type Spend } from './transport/open-fetch.ts';
import type { PooledCall } from './transport/pooled-fetch.ts';

/** A server that sends it is a simulator, whatever its address. */
export const SIMULATOR_HEADER = 'x-rowmill-simulator';

/** The SDK bound to one key and one base URL, and what was observed on the way. */
export interface Client {
  readonly sdk: OpenAI;
  /** Sends a request like the SDK's calls, with no header of ours. */
  readonly fetch: typeof fetch;
  readonly proxy: ProxySettings | null;
  /** Whether a response had the simulator's header; null before the first response. */
  isSimulated(): boolean | null;
  /** What a failed call means. If nothing was ever reached, a cause that does not pass by itself is a reason to stop. */
  classify(error: unknown, type: FailedCall['type'], now: Date): ApiError;
}

export interface ClientOptions {
  readonly apiKey: string;
  /** As in `FailedCall`. */
  readonly keySource?: string;
  readonly baseUrl: string;
  readonly timeoutMs: number;
  readonly quotaMayBeRate: boolean;
  /** Whether this very process runs the server. */
  readonly isOwnServer: boolean;
  readonly assertMaySpend: () => void;
}

/** The `fetchOptions` of a call by the pool; a body here takes the place of the SDK's. */
export type PooledInit = Pick<PooledCall, 'patienceMs'> & Partial<Pick<PooledCall, 'body'>>;

/** Loads the SDK; nothing it reads from the environment can change its target or its key. */
export async function openClient({
  apiKey,
  keySource,
  baseUrl,
  timeoutMs,
  quotaMayBeRate,
  isOwnServer,
  assertMaySpend,
}: ClientOptions): Promise<Client> {
  const openOwn = async () => (await import('./transport/own-server-way.ts')).openOwnServerWay();
  const [{ default: OpenAIClient }, way] = await Promise.all([import('openai'), isOwnServer ? openOwn() : openWay(process.env)]);
  let simulated = false;
  let hasAnswered = false;
  let refusal: ApiError | null = null;
  let spend: Promise<Spend> | null = null;

  function assertNotRefused(): void {
    try {
      assertMaySpend();
    } catch (error) {
      refusal = new ApiError((error as Error).message, { kind: 'stop', code: 'locked', exitCode: EXIT.locked });
      throw error;
    }
  }

  /** By the pool: calls that spend, uploads and downloads; whether they may be made is asked at the last moment there is. */
  async function send(url: string | URL | Request, init: RequestInit & Partial<Pick<PooledInit, 'patienceMs'>>): Promise<Response> {
    const { patienceMs, method, headers, body, signal } = init;
    if (patienceMs === undefined) return way.fetch(url, init);
    const call = { patienceMs, method, headers, body, signal } as PooledCall;
    spend ??= way.openSpending(assertNotRefused);
    return (await (
      await spend
    )(String(url), call)) as unknown as Response;
  }

  const sdk: OpenAI = new OpenAIClient({
    apiKey,
    baseURL: baseUrl,
    maxRetries: 0,
    logLevel: 'off',
    organization: process.env.OPENAI_ORG_ID ?? null,
    project: process.env.OPENAI_PROJECT_ID ?? null,
    timeout: timeoutMs,
    fetchOptions: { redirect: 'manual' },
    fetch: async (url, init) => {
      // OPENAI_CUSTOM_HEADERS may contain another key; what the run reports about its key has to stay true.
      const headers = init?.headers instanceof Headers ? init.headers : new Headers(init?.headers);
      headers.set('authorization', `Bearer ${apiKey}`);
      if (init?.method?.toUpperCase() === 'POST') assertNotRefused();
      const response = await send(url, { ...init, headers });
      hasAnswered = true;
      simulated ||= response.headers.has(SIMULATOR_HEADER);
      return response.ok ? response : keepRefusedBody(response, apiKey);
    },
  });
  return {
    sdk,
    fetch: way.fetch,
    proxy: way.proxy,
    isSimulated: () => (hasAnswered ? simulated : null),
    classify(error, type, now) {
      if (refusal !== null) return refusal;
      const failure = classifyFailure(error, now, { type, baseUrl, quotaMayBeRate, ...(keySource === undefined ? {} : { keySource }) });
      const transport = hasAnswered || failure.kind !== 'not-sent' ? null : findTransport(error);
      const cause = transport === null ? null : findPermanentCause(transport, baseUrl, way.proxy);
      return cause === null ? failure : new ApiError(cause, { kind: 'stop', code: failure.code, exitCode: EXIT.refused });
    },
  };
}
