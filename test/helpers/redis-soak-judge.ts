import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Summary } from '../../src/core/summary.ts';
import { type LiveStage, readJsonLines } from './live-stage.ts';
import type { RedisSoakOptions, RedisSoakReport } from './redis-soak.ts';

type Books = Pick<RedisSoakReport, 'rows' | 'ok' | 'held' | 'billed' | 'billedAgain' | 'reported'>;

/** Holds the books of a soaked run against the provider's bill, reading the files by itself. Throws at the first promise that was broken. */
export function judgeSoak(stage: LiveStage, { rows, causes }: Summary, options: RedisSoakOptions): Books {
  const held = options.onUnknown === 'hold' ? (causes.unknown ?? 0) : 0;
  if (rows.in !== options.rows || rows.ok + held !== rows.in) {
    throw new Error(`${rows.ok} ok and ${held} held of ${rows.in} rows: ${JSON.stringify(causes)}`);
  }
  const state = stage.findState();
  const bill = readJsonLines<{ customId: string }>(join(stage.folder, 'bill.jsonl')).map(({ customId }) => customId);
  const answered = readdirSync(join(state, 'responses')).flatMap((name) =>
    readJsonLines<{ custom_id: string }>(join(state, 'responses', name)).map(({ custom_id }) => custom_id),
  );
  const unknown = readJsonLines<{ type: string; calls?: readonly { customId: string }[] }>(join(state, 'events.jsonl'))
    .filter(({ type }) => type === 'call-unknown')
    .flatMap(({ calls = [] }) => calls.map(({ customId }) => customId));
  const [billed, told] = [countEach(bill), countEach([...answered, ...unknown])];
  for (const [customId, calls] of billed) {
    if (calls > (told.get(customId) ?? 0))
      throw new Error(`${customId} was billed ${calls} times, and ${told.get(customId) ?? 0} are reported`);
    if (options.onUnknown === 'hold' && calls > 1) throw new Error(`${customId} was billed ${calls} times under hold`);
  }
  const excess = answered.length + unknown.length - bill.length;
  const most = options.workerKills * options.concurrency;
  // Without kills of Redis, which may forget which calls were made, no more is named than can have been in flight.
  if (options.redisKills + options.flushes === 0 && excess > most)
    throw new Error(`${excess} calls are named that were not billed, ${most} at most`);
  return { rows: rows.in, ok: rows.ok, held, billed: bill.length, billedAgain: bill.length - billed.size, reported: unknown.length };
}

function countEach(ids: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}
