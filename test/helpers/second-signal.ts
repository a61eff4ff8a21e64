import assert from 'node:assert/strict';
import { type ChildProcess, spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

/** What a second signal may take on a machine that is not busy, in milliseconds. */
const QUIET_MS = 250;
/** Two signals within half a second are one. */
const APART_MS = 600;

/** Sends a signal to a command that has had one already: it must end with this code within 250 ms, or within five starts of Node where the machine is so busy that these take longer. */
export async function assertStopsNow(child: ChildProcess, signal: NodeJS.Signals, exitCode: number): Promise<void> {
  await sleep(APART_MS);
  assert.equal(child.exitCode, null, 'it has not ended before the second signal');
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const sentAt = performance.now();
  child.kill(signal);
  assert.equal(await ended, exitCode);
  const tookMs = performance.now() - sentAt;
  const bareAt = performance.now();
  spawnSync(process.execPath, ['--eval', '0']);
  const bareMs = performance.now() - bareAt;
  assert.ok(tookMs < Math.max(QUIET_MS, 5 * bareMs), `${Math.round(tookMs)} ms, and ${Math.round(bareMs)} ms for a bare process`);
}
