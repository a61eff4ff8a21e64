import { type Duplex, pipeline, type Readable } from 'node:stream';
import { constants, createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import type { Dispatcher } from 'undici';

/** The parts of a `Response` used by the SDK and by our reading of bodies. */
export type PooledResponse = Pick<Response, 'status' | 'statusText' | 'ok' | 'url' | 'headers' | 'redirected' | 'type'> & {
  readonly body: Readable;
  text(): Promise<string>;
};

/** A call by the pool. */
export interface PooledCall {
  readonly method: string;
  readonly headers: Headers;
  /** Pieces are asked for as the one before has left. */
  readonly body: string | AsyncIterable<Uint8Array>;
  readonly signal: AbortSignal;
  /** How long it may take until the headers, and between bytes. */
  readonly patienceMs: number;
}

/**
 * `fetch` for live calls, by undici's pool directly: what `fetch` puts around it (web streams, copies of requests, signals) is three quarters of a
 * call's work (undici 7.30.2 on Node 20.20, 2026-11-29). Neither follows a redirect nor repeats a call. Answers come unpacked.
 * @throws what undici throws, with its code; the signal's reason when it fires
 */
export async function fetchPooled(dispatcher: Dispatcher, url: string, call: PooledCall): Promise<PooledResponse> {
  const { origin, pathname, search } = new URL(url);
  const { statusCode, statusText, headers, body } = await dispatcher.request({
    origin,
    path: pathname + search,
    method: call.method as Dispatcher.HttpMethod,
    headers: { ...Object.fromEntries(call.headers), 'accept-encoding': 'gzip, deflate' },
    // undici takes what can be iterated, its types do not say so.
    body: call.body as string,
    signal: call.signal,
    headersTimeout: call.patienceMs,
    bodyTimeout: call.patienceMs,
  });
  return makeResponse(url, { statusCode, statusText, headers, body });
}

/** A response as an HTTP client yields it. */
interface Received {
  readonly statusCode: number;
  readonly statusText: string;
  /** By name, in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Readable;
}

/** The response to a call, its body decompressed. */
export function makeResponse(url: string, { statusCode, statusText, headers, body }: Received): PooledResponse {
  const received = readHeaders(headers);
  const unpacked = unpack(body, received.get('content-encoding'));
  return {
    status: statusCode,
    statusText,
    ok: statusCode >= 200 && statusCode <= 299,
    url,
    headers: received,
    redirected: false,
    type: 'default',
    body: unpacked,
    text: () => readAll(unpacked),
  };
}

function readHeaders(received: Received['headers']): Headers {
  const headers = new Headers();
  for (const [name, values] of Object.entries(received)) for (const value of [values ?? []].flat()) headers.append(name, value);
  return headers;
}

/** A response without the end of its compressed stream counts, as it does for `fetch`. */
const LENIENT = { flush: constants.Z_SYNC_FLUSH, finishFlush: constants.Z_SYNC_FLUSH };

const UNPACK: Readonly<Record<string, () => Duplex>> = {
  gzip: () => createGunzip(LENIENT),
  'x-gzip': () => createGunzip(LENIENT),
  deflate: () => createInflate(LENIENT),
  br: () => createBrotliDecompress(),
};

function unpack(body: Readable, encoding: string | null): Readable {
  const open = UNPACK[encoding?.trim().toLowerCase() ?? ''];
  // A failure is reported by the body to whoever reads it.
  return open === undefined ? body : pipeline(body, open(), () => {});
}

async function readAll(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
