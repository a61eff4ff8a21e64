import assert from 'node:assert/strict';
import type { Mode } from '../../src/core/job.ts';
import { type Cleanup, makeWorld, type RunChange, renderCsv, type World } from './run-world.ts';

const WORDS = 'the parcel came late and wet but nobody at the desk would hear of it so we wrote again in June'.split(' ');

/** Prose of about so many tokens that begins with its own name. */
export function makeText(name: string, tokens: number): string {
  return `${name} ${Array.from({ length: tokens }, (_, n) => WORDS[(n * 7 + name.length) % WORDS.length]).join(' ')}`;
}

export const makeLongRows = (count: number, from = 1): [string, string][] =>
  Array.from({ length: count }, (_, index) => [`r${from + index}`, makeText(`Case${from + index}`, 1_190)]);
export const makeShortRows = (count: number): [string, string][] =>
  Array.from({ length: count }, (_, index) => [`r${index + 1}`, `Note ${index + 1} says fine`]);

export const LUNA = 'model: gpt-5.6-luna\nparams: { max_output_tokens: 1000 }';

/** Instructions of about 2,000 tokens before a short row. */
export const CONSTANT = 'model: gpt-5.6-luna\noutput: text\nparams: { max_output_tokens: 1000 }';
export const makeConstantJob = (lines = '') =>
  `${CONSTANT}\nprompt:\n  system: ${makeText('Rules', 2_000)}\n  user: "{{ text }}"\n${lines}`;

interface Cached {
  readonly found: number;
  readonly written: number;
}

export function readCache(world: World): Cached {
  const details = world.simulator.bill().map(({ usage }) => usage.prompt_tokens_details as Record<string, number>);
  const sum = (name: string) => details.reduce((total, detail) => total + (detail[name] ?? 0), 0);
  return { found: sum('cached_tokens'), written: sum('cache_write_tokens') };
}

/** A first batch is waited for as long as it takes, however slow the machine. */
export function runIn(world: World, mode: Mode, change: RunChange = {}) {
  const { effects } = world;
  const sleep = (ms: number, signal: AbortSignal) =>
    ms < 600_000
      ? effects.sleep(ms, signal)
      : new Promise<void>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  return world.run({ effects: { ...effects, sleep }, overrides: { cwd: world.directory, input: null, out: null, mode }, ...change });
}

/** Rows that are asked once and share nothing: no write is paid for that nobody reads. */
export async function proveNoWrites(t: Cleanup, mode: 'batch' | 'live' | 'flex', rows: number): Promise<void> {
  const world = await makeWorld(t, { rows: makeLongRows(rows), job: LUNA });
  const { summary } = await runIn(world, mode);
  assert.deepEqual([summary.exitCode, summary.rows.ok, world.simulator.bill().length], [0, rows, rows]);
  assert.deepEqual(readCache(world), { found: 0, written: 0 });
  const { input, output } = summary.tokens;
  const share = mode === 'live' ? 1 : 0.5;
  assert.equal(summary.cost.nanoUsd, Math.round((input * 200 + output * 1200) * share), 'input and output alone are paid for');
  assert.equal(summary.cost.cacheSavedNanoUsd, undefined);
}

/** So many rows through batches, then more of them live, then more at the flex price: each is sent once. */
export async function proveLaneChanges(t: Cleanup, rows: number): Promise<void> {
  const all = makeShortRows(rows + 400);
  const world = await makeWorld(t, { rows: all.slice(0, rows), job: LUNA });
  const first = await runIn(world, 'batch');
  assert.deepEqual([first.summary.rows.new, world.simulator.bill().length], [rows, rows]);
  world.write('in.csv', renderCsv(all.slice(0, rows + 200)));
  const second = await runIn(world, 'live');
  world.write('in.csv', renderCsv(all));
  const third = await runIn(world, 'flex');
  const again = await runIn(world, 'batch');
  assert.deepEqual(
    [second, third, again].map(({ summary }) => [summary.attempts.total, summary.rows.reused, summary.exitCode]),
    [
      [200, rows, 0],
      [200, rows + 200, 0],
      [0, rows + 400, 0],
    ],
  );
  assert.equal(world.simulator.bill().length, rows + 400);
  assert.deepEqual(new Set(world.simulator.bill().map(({ tier }) => tier)), new Set(['batch', 'default', 'flex']));
}

/** What short rows behind 2,000 constant tokens cost live, by setting. */
export async function priceConstant(t: Cleanup, rows: number): Promise<Readonly<Record<'provider' | 'explicit' | 'auto', number>>> {
  const price = async (setting: string) => {
    const job = makeConstantJob().replace('1000 }', `1000, prompt_cache: ${setting} }`);
    // The provider keeps for half an hour: its time is the real one here, as that of the calls.
    const world = await makeWorld(t, { rows: makeShortRows(rows), job, now: Date.now });
    const { summary } = await runIn(world, 'live');
    assert.equal(summary.rows.ok, rows);
    return summary.cost.nanoUsd;
  };
  return { provider: await price('provider'), explicit: await price('explicit'), auto: await price('auto') };
}
