import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { AppError, EXIT } from '../src/core/errors.ts';
import { makeEffects } from '../src/host/real-effects.ts';
import { examine } from '../src/inspect/doctor/examine.ts';
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

test('without a key, doctor checks everything else, and says at its end what it left out', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'rowmill-'));
  writeFileSync(join(folder, 'in.csv'), 'id,text\n1,good\n');
  writeFileSync(
    join(folder, 'job.yaml'),
    'name: x\ninput: { path: in.csv }\nmodel: gpt-4o-mini\nprompt: "{{ txt }}"\noutput: text\nwrite: { path: out.csv }\n',
  );
  const server = http.createServer((_, response) => response.writeHead(401).end('{"error":{"message":"no key"}}'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  const effects = makeEffects();
  const connect = async () => ({ provider: await createProvider({ apiKey: 'none', baseUrl, ...effects }), close: async () => {} });
  const findings = await examine({
    jobFile: join(folder, 'job.yaml'),
    cwd: folder,
    stateRoot: null,
    target: {
      origin: 'refusing',
      baseUrl,
      connect: async () => {
        throw new AppError('no API key', { code: 'no_api_key', exitCode: EXIT.refused });
      },
    },
    keyless: { connect },
    redisUrl: 'redis://127.0.0.1:1',
    temporaryDirectory: folder,
    nodeVersion: process.versions.node,
    effects,
    signal: new AbortController().signal,
  });
  const shown = findings.map(({ name, status }) => `${name} ${status}`).filter((line) => !/^(proxy|disk|price)/.test(line));
  assert.deepEqual(shown, [
    'node ok',
    'job ok',
    'state ok',
    'input problem',
    'output ok',
    'redis problem',
    'key problem',
    'base url ok',
    'clock ok',
    ...shown.slice(9, -1),
    'models warning',
  ]);
  assert.match(findings.find(({ name }) => name === 'input')?.message ?? '', /job\.yaml:4:\d+ +prompt: no column "txt"/);
  assert.match(findings.at(-1)?.message ?? '', /^127\.0\.0\.1:\d+ answers; left out, because it needs a key: the model list/);
});
