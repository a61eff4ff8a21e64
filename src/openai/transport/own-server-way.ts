import * as http from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Way } from './open-fetch.ts';
import { makeResponse, type PooledCall, type PooledResponse } from './pooled-fetch.ts';

/** The simulator keeps them for twice as long, so that none is closed just as it is used again. */
const IDLE_CONNECTION_MS = 60_000;
/** As undici has it: pieces of an upload are reused, so a socket must not hold back more than one, whatever the default of this process. */
const HELD_BACK_BYTES = 64 * 1024;

type OwnCall = Pick<RequestInit, 'method' | 'headers'> & Partial<Pick<PooledCall, 'body' | 'signal'>>;

/**
 * Calls to a server in this process, by Node's own HTTP client. Its parser is native; that of `fetch` and undici is WebAssembly, compiled by
 * the first call: with it, a server and six calls take four times the CPU (Node 20.20, 2026-11-30). It has no timeout of its own: every call
 * has a signal with a deadline.
 */
export function openOwnServerWay(): Way {
  const agent = new http.Agent({ keepAlive: true, timeout: IDLE_CONNECTION_MS, highWaterMark: HELD_BACK_BYTES } as http.AgentOptions);
  return {
    fetch: async (url, init) => (await send(agent, String(url), (init ?? {}) as OwnCall, () => {})) as unknown as Response,
    proxy: null,
    openSpending: async (assertMaySpend) => (url, call) => send(agent, url, call, assertMaySpend),
  };
}

/** Neither follows a redirect nor repeats a call. */
async function send(
  agent: http.Agent,
  url: string,
  { method = 'GET', headers, body, signal }: OwnCall,
  assertMaySend: () => void,
): Promise<PooledResponse> {
  signal?.throwIfAborted();
  const request = http.request(url, { agent, method, headers: Object.fromEntries(new Headers(headers)) });
  let received: http.IncomingMessage | null = null;
  const abort = () => (received ?? request).destroy(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  request.once('close', () => signal?.removeEventListener('abort', abort));
  received = await new Promise<http.IncomingMessage>((resolve, reject) => {
    const write = () => {
      try {
        assertMaySend();
      } catch (error) {
        request.destroy(error as Error);
        return;
      }
      if (typeof body === 'object') pipeline(body, request).catch(reject);
      else request.end(body);
    };
    request.once('socket', (socket) => {
      if (socket.connecting) socket.once('connect', write);
      else write();
    });
    request.on('response', resolve).on('error', reject);
  });
  // The rest of a body that is already answered is not wanted; Node would wait for it, and keep its file open.
  received.once('end', () => request.writableFinished || request.destroy());
  const { statusCode = 0, statusMessage = '', headersDistinct } = received;
  return makeResponse(url, { statusCode, statusText: statusMessage, headers: headersDistinct, body: received });
}
