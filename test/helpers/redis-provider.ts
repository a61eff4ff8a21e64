import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A provider of a test's own: it answers each call after a while, and its bill says what was called, whoever was told. */
export interface TestProvider {
  readonly url: string;
  /** Custom ids in the order in which their calls came in. */
  readonly bill: readonly string[];
  /** Calls that have come in and are not answered. */
  inFlight(): number;
  /** Resolves when so many calls have come in. */
  seen(calls: number): Promise<void>;
  stop(): Promise<void>;
}

/** `answer` may hold a call back, or answer otherwise than with 200. */
export async function startProvider(options: {
  latencyMs: number;
  statusOf?: (customId: string, nth: number) => number;
}): Promise<TestProvider> {
  const bill: string[] = [];
  let waiting: { readonly calls: number; readonly resolve: () => void }[] = [];
  let inFlight = 0;
  function respond(response: ServerResponse, customId: string): void {
    inFlight -= 1;
    const status = options.statusOf?.(customId, bill.filter((id) => id === customId).length) ?? 200;
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ usage: { prompt_tokens: 5, completion_tokens: 5, total_tokens: 10 } }));
  }
  const server = createServer((request, response) => {
    const customId = request.headers['x-client-request-id'] as string;
    request.resume().on('end', () => {
      bill.push(customId);
      inFlight += 1;
      const due = waiting.filter(({ calls }) => bill.length >= calls);
      waiting = waiting.filter((waiter) => !due.includes(waiter));
      for (const { resolve } of due) resolve();
      setTimeout(() => respond(response, customId), options.latencyMs);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bill,
    inFlight: () => inFlight,
    seen: (calls) => (bill.length >= calls ? Promise.resolve() : new Promise((resolve) => waiting.push({ calls, resolve }))),
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
