import * as http from 'node:http';
import * as net from 'node:net';
import type { TestContext } from 'node:test';

/** A proxy that tunnels by CONNECT, and notes what for. */
export interface ConnectProxy {
  readonly url: string;
  /** `host:port` of every CONNECT, with the user it named. */
  readonly asked: { readonly target: string; readonly user: string | null }[];
}

/** @param options.refuse a status to answer every CONNECT with; @param options.lead where a target lies, when it is not what it is called */
export async function startConnectProxy(
  t: TestContext,
  options: { readonly refuse?: number; readonly lead?: (target: string) => string } = {},
): Promise<ConnectProxy> {
  const asked: { target: string; user: string | null }[] = [];
  const server = http.createServer((_request, response) => void response.writeHead(400).end('only CONNECT'));
  const sockets = new Set<net.Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('connect', (request, socket: net.Socket, head: Buffer) => {
    const target = request.url ?? '';
    const credentials = /^Basic (.+)$/.exec(request.headers['proxy-authorization'] ?? '')?.[1];
    asked.push({ target, user: credentials === undefined ? null : Buffer.from(credentials, 'base64').toString() });
    socket.on('error', () => {});
    if (options.refuse !== undefined) return void socket.end(`HTTP/1.1 ${options.refuse} No\r\n\r\n`);
    const [host = '', port = ''] = (options.lead?.(target) ?? target).split(':');
    const through = net.connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      through.write(head);
      through.pipe(socket).pipe(through);
    });
    through.on('error', () => socket.destroy());
    socket.on('close', () => through.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`, asked };
}
