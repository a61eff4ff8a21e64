import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startSimulator } from '../src/simulator/start.ts';
import { makeFolder } from './helpers/api-world.ts';

const PROGRAM = fileURLToPath(new URL('./helpers/rows-program.js', import.meta.url));
const ROWS = 60;
const CONCURRENCY = 2;

test('a killed run over rows from memory continues when the program passes them again, and leaves none of them elsewhere', async (t) => {
  const simulator = await startSimulator({ latencyMs: 40 });
  t.after(() => simulator.close());
  const cwd = makeFolder(t, {});
  const temporary = join(cwd, 'temporary');
  mkdirSync(temporary);
  async function start(change: Readonly<Record<string, string>>) {
    const env = { PATH: process.env.PATH, HOME: cwd, TMPDIR: temporary, BASE_URL: simulator.url, ROWS: String(ROWS), ...change };
    const child = spawn(process.execPath, [PROGRAM], { cwd, env, stdio: ['ignore', 'pipe', 'inherit'] });
    const [stdout, [, signal]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    return { stdout, signal: signal as string | null };
  }

  assert.equal((await start({ KILL_AFTER: '4' })).signal, 'SIGKILL');
  const paid = simulator.bill().length;
  assert.ok(paid >= 4 && paid < ROWS, `${paid} calls before the kill`);
  assert.deepEqual(readdirSync(temporary), []);

  const { stdout } = await start({});
  const summary = JSON.parse(stdout) as { readonly exitCode: number; readonly rows: { readonly ok: number } };
  assert.deepEqual([summary.exitCode, summary.rows.ok], [0, ROWS]);
  const again = simulator.bill().length - ROWS;
  assert.ok(again >= 0 && again <= CONCURRENCY, `${again} of the calls that were under way were asked again`);
  assert.deepEqual(readdirSync(temporary), []);
});
