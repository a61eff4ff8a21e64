import { closeSync } from 'node:fs';
import { parseCustomId } from '../../core/request.ts';
import type { LineLocation } from '../../core/settled.ts';
import { openForReading, readBytesAt } from '../../ledger/disk/durable-files.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { createTopPicker } from '../../output/report/count/pick.ts';
import { createSpreadCounter } from '../../output/report/count/spread.ts';
import type { TempoCounter } from '../../output/report/count/tempo-counter.ts';
import type { CallFigures } from '../../output/report/facts.ts';

/** How long the live calls of a run took. */
export interface CallTimes {
  /** Null if no call left its times. */
  readonly figures: CallFigures | null;
  /** Milliseconds by key, of the slowest calls. */
  readonly slowestMs: ReadonlyMap<string, number>;
}

const NO_TIMES: CallTimes = { figures: null, slowestMs: new Map() };
const BARS = 30;

/** Reads the times that the live lane stored with its answers, and counts the answers over time. Memory does not grow with their number. */
export async function readCallTimes(ledger: Ledger, run: string, slowest: number, tempo: TempoCounter): Promise<CallTimes> {
  if (!ledger.files.some((file) => file.lane === 'live' && file.run === run)) return NO_TIMES;
  const call = createSpreadCounter();
  const wait = createSpreadCounter();
  const picker = createTopPicker<{ readonly customId: string; readonly callMs: number }>(slowest, ({ callMs }) => callMs);
  const reader = createTailReader(ledger);
  try {
    for await (const records of ledger.recordsOfRun(run)) {
      for (const { lane, location, customId, usage } of records) {
        const times = lane === 'live' ? readTimes(reader.read(location)) : null;
        if (times === null) continue;
        call.add(times.callMs);
        wait.add(times.waitMs);
        picker.add({ customId, callMs: times.callMs });
        tempo.add(times.endedMs, { answers: 1, tokens: usage === null ? 0 : usage.inputTokens + usage.outputTokens });
      }
    }
  } finally {
    reader.close();
  }
  const [calls, waits, callHistogram] = [call.read(), wait.read(), call.readHistogram(BARS)];
  if (calls === null || waits === null || callHistogram === null) return NO_TIMES;
  const slowestMs = new Map(picker.read().map(({ customId, callMs }) => [parseCustomId(customId)?.key ?? customId, callMs]));
  return { figures: { call: calls, wait: waits, callHistogram }, slowestMs };
}

/** The times are at the end of a line, and are shorter than this. */
const TAIL_BYTES = 400;

/** Reads the ends of lines, with one file open at a time. */
function createTailReader(ledger: Ledger): { read(location: LineLocation): string; close(): void } {
  let open: { readonly file: string; readonly descriptor: number } | null = null;
  const close = () => {
    if (open !== null) closeSync(open.descriptor);
    open = null;
  };
  return {
    read({ file, offsetBytes, lengthBytes }) {
      if (open?.file !== file) {
        close();
        open = { file, descriptor: openForReading(ledger.responsePath(file)) };
      }
      const tailBytes = Math.min(TAIL_BYTES, lengthBytes);
      return readBytesAt(open.descriptor, { offsetBytes: offsetBytes + lengthBytes - tailBytes, lengthBytes: tailBytes }).toString('utf8');
    },
    close,
  };
}

const TIMES = /,"rowmill":(\{[^{}]*\})\}$/;

/** Null for a line without times, such as one put there by hand. */
function readTimes(tail: string): { readonly callMs: number; readonly waitMs: number; readonly endedMs: number } | null {
  const found = TIMES.exec(tail)?.[1];
  if (found === undefined) return null;
  const { callMs, waitMs, endedAt } = parseTimes(found);
  if (typeof callMs !== 'number' || typeof waitMs !== 'number' || typeof endedAt !== 'string') return null;
  return { callMs: Math.max(0, callMs), waitMs: Math.max(0, waitMs), endedMs: Date.parse(endedAt) };
}

/** An altered line is not read. */
function parseTimes(json: string): { readonly callMs?: unknown; readonly waitMs?: unknown; readonly endedAt?: unknown } {
  try {
    return JSON.parse(json);
  } catch {
    return {};
  }
}
