import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

export interface FrontRequest {
  readonly method: string;
  readonly path: string;
  readonly body: Buffer;
  /** What the server behind answers. */
  readonly askBehind: () => Promise<Response>;
}

/** Answers a request itself, in whatever way, or leaves it to the server behind. @returns whether it has answered */
export type Intercept = (request: FrontRequest, response: http.ServerResponse) => boolean;

/** Stands before a server and may answer in its place, byte by byte. @returns its base URL */
export async function startFront(t: Pick<TestContext, 'after'>, target: string, intercept: Intercept): Promise<string> {
  const { pathname, origin } = new URL(target);
  const server = http.createServer({ maxHeaderSize: 1 << 20 }, async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = 'GET', url: path = '/' } = request;
    const body = Buffer.concat(chunks);
    response.on('error', () => {});
    const headers = Object.entries(request.headers).filter(([name]) => !/^(host|content-length|connection|transfer-encoding)$/.test(name));
    const askBehind = () =>
      fetch(new URL(path, origin), {
        method,
        headers: headers as [string, string][],
        ...(body.length === 0 ? {} : { body: new Uint8Array(body) }),
      });
    if (intercept({ method, path, body, askBehind }, response)) return;
    const answer = await askBehind();
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'text/plain', 'x-rowmill-simulator': '1' });
    response.end(Buffer.from(await answer.arrayBuffer()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}${pathname}`;
}

/** Sends the same piece over and over, as fast as it is taken, `times` at most. @returns how often it was sent so far */
export function sendEndlessly(response: http.ServerResponse, piece: Buffer, times = Number.POSITIVE_INFINITY): () => number {
  let sent = 0;
  const send = () => {
    while (sent < times && !response.destroyed) {
      sent += 1;
      if (!response.write(piece)) return void response.once('drain', send);
    }
    if (!response.destroyed) response.end();
  };
  send();
  return () => sent;
}
