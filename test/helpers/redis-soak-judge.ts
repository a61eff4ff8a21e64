import { join } from 'node:path';
import type { Summary } from '../../src/core/summary.ts';
import { type BillLine, countBy, readJsonLines, readStoredLines, type WireEvent } from '../../src/prove/check/calls.ts';
import type { LiveStage } from './live-stage.ts';
import type { RedisSoakOptions, RedisSoakReport } from './redis-soak.ts';

type Books = Pick<RedisSoakReport, 'rows' | 'ok' | 'held' | 'billed' | 'billedAgain' | 'reported'>;

/** Holds the books of a soaked run against the provider's bill: rows may be held in it, and Redis forget what was called. Throws at the first promise that was broken. */
export function judgeSoak(stage: LiveStage, { rows, causes }: Summary, options: RedisSoakOptions): Books {
  const held = options.onUnknown === 'hold' ? (causes.unknown ?? 0) : 0;
  if (rows.in !== options.rows || rows.ok + held !== rows.in) {
    throw new Error(`${rows.ok} ok and ${held} held of ${rows.in} rows: ${JSON.stringify(causes)}`);
  }
  const state = stage.findState();
  const bill = readJsonLines<BillLine>(join(stage.folder, 'bill.jsonl'));
  const events = readJsonLines<WireEvent>(join(state, 'events.jsonl'));
  const answered = readStoredLines(state, events);
  const unknown = events.filter(({ type }) => type === 'call-unknown').flatMap(({ calls }) => calls as readonly { customId: string }[]);
  const billed = countBy(bill, ({ customId }) => String(customId));
  const told = countBy([...answered, ...unknown], ({ customId }) => customId);
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
