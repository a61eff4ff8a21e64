import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How one call is met: a status, or 0 for a connection that breaks. */
export interface Meeting {
  readonly status?: number;
  readonly latencyMs?: number;
}

/** A provider of a test's own: its bill says what was called, whoever was told. */
export interface TestProvider {
  readonly url: string;
  /** Custom ids in the order in which their calls came in. */
  readonly bill: readonly string[];
  /** Decides how a call is met; `nth` counts the calls of that id from 1. */
  meet: (customId: string, nth: number) => Meeting;
  /** Calls that have come in and are not answered. */
  readonly inFlight: number;
  /** Resolves when so many calls have come in. */
  seen(calls: number): Promise<void>;
  stop(): Promise<void>;
}

export async function startProvider(latencyMs: number): Promise<TestProvider> {
  const bill: string[] = [];
  const counts = new Map<string, number>();
  let waiting: { readonly calls: number; readonly resolve: () => void }[] = [];
  const state = { inFlight: 0 };

  function respond(response: ServerResponse, status: number): void {
    state.inFlight -= 1;
    if (status === 0) {
      response.socket?.destroy();
      return;
    }
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ usage: { prompt_tokens: 5, completion_tokens: 5, total_tokens: 10 } }));
  }

  const server = createServer((request, response) => {
    const customId = request.headers['x-client-request-id'] as string;
    request.resume().on('end', () => {
      bill.push(customId);
      counts.set(customId, (counts.get(customId) ?? 0) + 1);
      state.inFlight += 1;
      const due = waiting.filter(({ calls }) => bill.length >= calls);
      waiting = waiting.filter((waiter) => !due.includes(waiter));
      for (const { resolve } of due) resolve();
      const meeting = provider.meet(customId, counts.get(customId) ?? 1);
      setTimeout(() => respond(response, meeting.status ?? 200), meeting.latencyMs ?? latencyMs);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const provider: TestProvider = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bill,
    meet: () => ({}),
    get inFlight() {
      return state.inFlight;
    },
    seen: (calls) => (bill.length >= calls ? Promise.resolve() : new Promise((resolve) => waiting.push({ calls, resolve }))),
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return provider;
}
