import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

/** A gateway before the simulator that may change what passes through it. */
export interface ProxyOptions {
  readonly target: string;
  /** Where a path lies at the target, when the gateway has it elsewhere. */
  readonly changePath?: (path: string) => string;
  /** May change the body of a request, and hold it up. */
  readonly changeRequest?: (request: {
    readonly method: string;
    readonly path: string;
    readonly headers: http.IncomingHttpHeaders;
    readonly body: Buffer;
  }) => Buffer | Promise<Buffer>;
  /** Whether it keeps to itself that a simulator answers: then nothing is simulated. */
  readonly isModel?: boolean;
  /** May change a JSON answer. */
  // biome-ignore lint/suspicious/noExplicitAny: whatever the wire carries.
  readonly changeAnswer?: (request: { readonly method: string; readonly path: string }, answer: any) => unknown;
}

/** Starts the gateway. @returns its base URL */
export async function startProxy(t: Pick<TestContext, 'after'>, options: ProxyOptions): Promise<string> {
  const target = new URL(options.target);
  const server = http.createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = 'GET', url = '/' } = request;
    const path = options.changePath?.(url) ?? url;
    const sent = Buffer.concat(chunks);
    const body = (await options.changeRequest?.({ method, path, headers: request.headers, body: sent })) ?? sent;
    const headers = Object.fromEntries(
      Object.entries(request.headers).filter(([name]) => !/^(host|content-length|connection|transfer-encoding)$/.test(name)),
    );
    const answer = await fetch(new URL(path, target), {
      method,
      headers: headers as Record<string, string>,
      ...(body.length === 0 ? {} : { body: new Uint8Array(body) }),
    });
    const text = Buffer.from(await answer.arrayBuffer());
    const isJson = answer.headers.get('content-type')?.includes('json') === true;
    const changed =
      isJson && options.changeAnswer !== undefined
        ? Buffer.from(JSON.stringify(options.changeAnswer({ method, path }, JSON.parse(text.toString()))))
        : text;
    const type = { 'content-type': answer.headers.get('content-type') ?? 'text/plain' };
    response.writeHead(answer.status, options.isModel === true ? type : { ...type, 'x-rowmill-simulator': '1' });
    response.end(changed);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}${target.pathname}`;
}
