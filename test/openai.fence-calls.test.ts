import assert from 'node:assert/strict';
import { once } from 'node:events';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { Agent, buildConnector } from 'undici';
import { fenceCalls } from '../src/openai/transport/fence-calls.ts';

test('a run that loses the right to send while its call waits for a connection sends nothing', async () => {
  let arrived = 0;
  const server = http.createServer((_, response) => {
    arrived += 1;
    response.end();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  let mayLose = false;
  let isLost = false;
  const connect = buildConnector({});
  const agent = new Agent({
    connect: (options, done) =>
      connect(options, (...connected) => {
        isLost = mayLose;
        done(...connected);
      }),
  });
  const fenced = fenceCalls(agent, () => {
    if (isLost) throw new Error('the place is lost');
  });
  try {
    const call = { origin, path: '/', method: 'POST', body: '{}' } as const;
    const first = fenced.request({ ...call, headers: { connection: 'close' } });
    assert.equal((await first).statusCode, 200);
    mayLose = true;
    await assert.rejects(fenced.request(call), { message: 'the place is lost' });
    assert.deepEqual([arrived, isLost], [1, true]);
  } finally {
    await agent.destroy();
    server.close();
  }
});
