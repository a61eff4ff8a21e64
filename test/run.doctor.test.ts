import assert from 'node:assert/strict';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { makeEffects } from '../src/host/real-effects.ts';
import { examine } from '../src/inspect/doctor.ts';
import { createProvider } from '../src/openai/provider.ts';
import { createManualTimers } from './helpers/manual-timers.ts';
import { CANARY_KEY } from './helpers/run-world.ts';

test('doctor does not wait forever for a provider that never answers', async (t) => {
  const timers = createManualTimers();
  const [clock, { startTimer }] = [() => new Date(), timers];
  const asked: string[] = [];
  // Whatever it is asked for, its time is over.
  const server = http.createServer(({ method }) => {
    asked.push(String(method));
    timers.fire();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  const findings = await examine({
    jobFile: null,
    cwd: tmpdir(),
    stateRoot: tmpdir(),
    target: {
      origin: 'silent',
      baseUrl,
      connect: async () => ({ provider: await createProvider({ apiKey: CANARY_KEY, baseUrl, clock, startTimer }), close: async () => {} }),
    },
    temporaryDirectory: tmpdir(),
    nodeVersion: process.versions.node,
    effects: { ...makeEffects(), clock, startTimer },
    signal: new AbortController().signal,
  });
  assert.deepEqual(asked, ['GET', 'HEAD']);
  const statusOf = (name: string) => findings.find((finding) => finding.name === name)?.status;
  assert.deepEqual([statusOf('models'), statusOf('clock')], ['problem', 'warning']);
  assert.deepEqual(timers.armedMs(), []);
});
