import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Summary } from '../src/core/summary.ts';
import { makeEventLine, readEventLine } from '../src/ledger/events/event-line.ts';
import { earlierOriginOf, hostOfOrigin, originOf } from '../src/ledger/origin.ts';
import { startSimulator } from '../src/simulator/start.ts';
import { createWorld, type World } from './helpers/command-line.ts';
import { startProxy } from './helpers/proxy.ts';
import { makeJobText, makeRows, renderCsv } from './helpers/run-world.ts';

/** Base URL, its origin, what early versions called it, its host. */
const ORIGINS: readonly (readonly [string, string, string | null, string | null])[] = [
  ['https://api.openai.com/v1', 'default', null, null],
  ['https://api.openai.com/v1/', 'default', null, null],
  ['https://api.openai.com/v2', 'api.openai.com-_v2', 'api.openai.com', 'api.openai.com'],
  ['https://host.example/v1', 'host.example', null, 'host.example'],
  ['https://host.example', 'host.example-_', 'host.example', 'host.example'],
  ['https://host.example/openai/v1', 'host.example-_openai_v1', 'host.example', 'host.example'],
  ['https://host.example/openai_v1', 'host.example-_openai~5fv1', 'host.example', 'host.example'],
  ['https://host.example/openai-v1', 'host.example-_openai~2dv1', 'host.example', 'host.example'],
  ['https://host.example/8080', 'host.example-_8080', 'host.example', 'host.example'],
  ['https://host.example:8080/v1', 'host.example-8080s', 'host.example-8080', 'host.example:8080'],
  ['http://host.example:8080/v1', 'host.example-8080', null, 'host.example:8080'],
  ['http://host.example/v1', 'host.example-80', 'host.example', 'host.example:80'],
  ['https://host.example:80/v1', 'host.example-80s', 'host.example-80', 'host.example:80'],
  ['http://my-host:8080/a/b/v1', 'my_host-8080-_a_b_v1', 'my_host-8080', 'my-host:8080'],
  ['http://[::1]:8080/v1', '___1_-8080', null, '[::1]:8080'],
  ['http://[fd00::1:2]/v1', '_fd00__1_2_-80', '_fd00__1_2_', '[fd00::1:2]:80'],
];

test('each base URL has its own origin, which names a directory, and may have been named differently by early versions', () => {
  for (const [baseUrl, origin, earlier, host] of ORIGINS) {
    assert.equal(originOf(baseUrl), origin);
    assert.equal(earlierOriginOf(origin), earlier, baseUrl);
    assert.equal(hostOfOrigin(origin), host, baseUrl);
    assert.match(origin, /^[\w.~-]+$/);
  }
  const urls = new Set(ORIGINS.map(([url]) => url.replace(/\/$/, '')));
  assert.equal(new Set(ORIGINS.map(([, origin]) => origin)).size, urls.size);
  const long = `https://host.example/${'a'.repeat(300)}`;
  assert.ok(originOf(long).length < 120);
  assert.notEqual(originOf(long), originOf(`${long}b`));
});

interface TwoPaths {
  readonly world: World;
  /** Two APIs of one host that differ in their path. */
  readonly urls: readonly [string, string];
  readonly billed: () => number;
  run(url: string): Promise<Summary>;
  states(): readonly string[];
}

async function makeTwoPaths(t: TestContext): Promise<TwoPaths> {
  const world = createWorld({ 'job.yaml': makeJobText(), 'in.csv': renderCsv(makeRows(4)) });
  const simulator = await startSimulator();
  t.after(async () => {
    await simulator.close();
    world.dispose();
  });
  const usual = await startProxy(t, { target: simulator.url, changePath: (path) => path.replace(/^\/other/, '') });
  const states = path.join(world.folder, '.rowmill');
  return {
    world,
    urls: [usual, usual.replace(/v1$/, 'other/v1')],
    billed: () => simulator.bill().length,
    run: (url) => world.json<Summary>(['run', 'job.yaml', '--base-url', url, '--yes', '--progress', 'none'], { OPENAI_API_KEY: 'sk-x' }),
    states: () => fs.readdirSync(states).toSorted(),
  };
}

test('two base URLs of one host with different paths share no state: neither uses the answers of the other', async (t) => {
  const { urls, run, states, billed } = await makeTwoPaths(t);
  for (const url of urls) assert.equal((await run(url)).rows.new, 4);
  assert.equal(billed(), 8);
  assert.deepEqual(
    states(),
    urls.map((url) => `proof@${originOf(url)}`),
  );
});

test('a state that an early version made for a base URL is found by read-only commands, renamed by the next run, and nothing is paid for again', async (t) => {
  const { world, urls, run, states, billed } = await makeTwoPaths(t);
  const [usual, other] = urls;
  await run(other);
  const earlier = `proof@${originOf(usual)}`;
  const directory = path.join(world.folder, '.rowmill', earlier);
  fs.renameSync(path.join(world.folder, '.rowmill', `proof@${originOf(other)}`), directory);
  changeOrigin(path.join(directory, 'events.jsonl'), originOf(usual));
  // Looking renames nothing.
  const status = await world.json<{ state: string }>(['status', 'job.yaml', '--base-url', other]);
  assert.equal(status.state, directory);
  assert.deepEqual(states(), [earlier]);
  fs.appendFileSync(path.join(world.folder, 'in.csv'), 'r9,One more\n');

  const ended = await world.run(['run', 'job.yaml', '--base-url', other, '--yes', '--progress', 'none', '--json'], {
    OPENAI_API_KEY: 'sk-x',
  });
  assert.equal(ended.exitCode, 0, ended.stderr);
  assert.match(ended.stderr, /from now on: another base URL of the same host has another state directory/);
  assert.equal((JSON.parse(ended.stdout) as Summary).rows.reused, 4);
  assert.equal(billed(), 5);
  assert.deepEqual(states(), [`proof@${originOf(other)}`]);
  assert.equal((await run(usual)).rows.new, 5, 'the other path begins anew');
});

/** As a version wrote it that knew hosts and ports alone. */
function changeOrigin(file: string, origin: string): void {
  const [first = '', ...rest] = fs.readFileSync(file, 'utf8').split('\n');
  const reading = readEventLine(Buffer.from(first));
  assert.ok(reading.status === 'event' && reading.event.type === 'state-created');
  fs.writeFileSync(file, [makeEventLine({ ...reading.event, origin }).trimEnd(), ...rest].join('\n'));
}
