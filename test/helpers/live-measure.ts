import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { TestContext } from 'node:test';
import { AppError } from '../../src/core/errors.ts';
import { type LiveWorldOptions, makeLiveRequest, makeLiveWorld } from './live-world.ts';

/** How well a lane kept to a limit of tokens, and how well it used it. */
export interface Measured {
  /** Share of the binding limit that was used over the steady part. */
  readonly used: number;
  /** Share of all calls that were answered 429. */
  readonly refused: number;
  /** The most that left in any window of ten seconds, over what the limit gives there; in shares of a minute's limit. */
  readonly excess: number;
  readonly firstCallMs: number;
  readonly tokenCharging: string | undefined;
}

interface LiveLine {
  readonly response: { readonly status_code: number; readonly body: { readonly usage?: { readonly total_tokens: number } } };
  readonly rowmill: { readonly startedAt: string };
}

const WARM_UP_MS = 2_000;
const WINDOW_MS = 10_000;

/** Calls for some seconds of the world's time against limits of which tokens bind, with estimates three times too high. */
export async function measureUse(
  t: TestContext,
  durationMs: number,
  { body, ...options }: LiveWorldOptions & { readonly body?: Readonly<Record<string, unknown>> },
): Promise<Measured> {
  const world = await makeLiveWorld(t, { latencyMs: { p50Ms: 400, sigma: 0.4 }, ...options });
  const startedMs = world.clock().getTime();
  const over = world
    .sleep(durationMs, world.ending.signal)
    .then(() => world.stopping.abort(new AppError('the time is over', { code: 'over', exitCode: 5 })));
  const text = 'Describe in a few words what may have happened on the day when everybody looked at number';
  const feeding = async () => {
    for (let row = 0; ; row += 1) await world.lane.add(makeLiveRequest(`${text} ${row} ${text.repeat(3)}`, body), 270);
  };
  await assert.rejects(feeding(), /the time is over/);
  await over;
  const { refusals = 0, tokenCharging } = world.lane.view.pace ?? {};
  await world.lane.drain();
  const calls = fs
    .readFileSync(path.join(world.directory, 'responses', 'live-run-1.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as LiveLine)
    .map(({ response, rowmill }) => ({ atMs: Date.parse(rowmill.startedAt), tokens: response.body.usage?.total_tokens ?? 0 }))
    .toSorted((a, b) => a.atMs - b.atMs);
  const first = calls[0] as (typeof calls)[number];
  const steady = calls.filter(({ atMs }) => atMs >= first.atMs + WARM_UP_MS && atMs < first.atMs + durationMs - 500);
  const limitPerMs = (options.tokensPerMinute ?? 0) / 60_000;
  const steadyMs = durationMs - 500 - WARM_UP_MS;
  let excess = 0;
  for (const { atMs } of calls) {
    const inWindow = calls.filter((call) => call.atMs >= atMs && call.atMs < atMs + WINDOW_MS);
    const lengthMs = (inWindow.at(-1)?.atMs ?? atMs) - atMs;
    excess = Math.max(excess, (sumOf(inWindow) - lengthMs * limitPerMs) / (limitPerMs * 60_000));
  }
  return {
    used: sumOf(steady) / (steadyMs * limitPerMs),
    refused: refusals / (calls.length + refusals),
    excess,
    firstCallMs: first.atMs - startedMs,
    tokenCharging,
  };
}

function sumOf(calls: readonly { readonly tokens: number }[]): number {
  return calls.reduce((sum, { tokens }) => sum + tokens, 0);
}
