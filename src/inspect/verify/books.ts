import { createReadStream, existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { StoredEvent } from '../../core/event.ts';
import type { SettledRecord } from '../../core/settled.ts';
import { addUsage, NO_USAGE, readUsage, type Usage } from '../../core/usage.ts';
import { formatCount, formatThings } from '../../core/wording/format-count.ts';
import type { ResponseFile } from '../../ledger/ledger.ts';
import type { FileChecks } from './files.ts';
import { type Check, decideCheck } from './files.ts';

/** Live calls are grouped under the id their files have in place of a batch's. */
const LIVE = '';

/** What every batch, and all live calls together, were billed for according to the recorded answers. */
export interface BatchBooks {
  add(record: SettledRecord, file: ResponseFile): void;
  ofBatch(batchId: string): BatchSum;
  /** The wire ids of lines that say neither what was answered nor that the call failed: it may be on the bill, like a request without a line. */
  silentOf(batchId: string): ReadonlySet<string>;
}

interface BatchSum {
  readonly usage: Usage;
  readonly attempts: number;
  /** The part of them whose usage is unknown. */
  readonly unknown: number;
}

const NONE: ReadonlySet<string> = new Set();
const NOTHING: BatchSum = { usage: NO_USAGE, attempts: 0, unknown: 0 };

export function createBatchBooks(): BatchBooks {
  const sums = new Map<string, BatchSum>();
  const ofBatch = (batchId: string) => sums.get(batchId) ?? NOTHING;
  const silent = new Map<string, Set<string>>();
  return {
    ofBatch,
    silentOf: (batchId) => silent.get(batchId) ?? NONE,
    add(record, file) {
      if (record.outcome === 'unknown') silent.set(file.batchId, (silent.get(file.batchId) ?? new Set()).add(record.customId));
      if (!record.isBilled) return;
      sums.set(file.batchId, addAttempt(ofBatch(file.batchId), record.usage));
    },
  };
}

function addAttempt({ usage, attempts, unknown }: BatchSum, added: Usage | null): BatchSum {
  return added === null
    ? { usage, attempts: attempts + 1, unknown: unknown + 1 }
    : { usage: addUsage(usage, added), attempts: attempts + 1, unknown };
}

/** Compares the usage reported by the provider's batch objects with the sums over their lines; requests without a line explain a higher usage. */
export function checkBatchUsage(events: readonly StoredEvent[], books: BatchBooks): Check {
  let compared = 0;
  let missing = 0;
  const faults: string[] = [];
  for (const event of events) {
    const reported = event.type === 'batch-collected' ? readUsage(event.usage, { hasOutput: false }) : null;
    if (event.type !== 'batch-collected' || reported === null) continue;
    compared += 1;
    const { usage, unknown } = books.ofBatch(event.batchId);
    const without = event.missing.length + books.silentOf(event.batchId).size + unknown;
    missing += without;
    const differs =
      without === 0
        ? usage.inputTokens !== reported.inputTokens || usage.outputTokens !== reported.outputTokens
        : usage.inputTokens > reported.inputTokens || usage.outputTokens > reported.outputTokens;
    if (differs) {
      const told = `${reported.inputTokens} + ${reported.outputTokens}`;
      faults.push(`${event.batchId}: the batch reports ${told} tokens, its lines ${usage.inputTokens} + ${usage.outputTokens}`);
    }
  }
  if (compared === 0) return { name: 'batch usage', status: 'skipped', detail: 'no batch reported its usage' };
  const beside =
    missing === 0 ? '' : `, and of ${formatThings(missing, 'request')} without an answer, or without a usage, where those were billed`;
  return decideCheck(
    'batch usage',
    faults.length === 0,
    faults.join('; ') ||
      `${compared === 1 ? '1 batch reports the tokens of its lines' : `${formatCount(compared)} batches report the tokens of their lines`}${beside}`,
  );
}

/** One line of the simulator's bill, as far as it is compared. */
interface BillLine {
  readonly batchId: string | null;
  readonly customId: string | null;
  readonly usage: unknown;
}

/**
 * Compares the simulator's own bill with what was recorded. Batches that are not collected yet are left out; so are requests without a line in a
 * collected batch: they are named in its event, and counted as possibly billed.
 */
export async function checkBill(
  stateDirectory: string,
  { events, announcedCalls }: Pick<FileChecks, 'events' | 'announcedCalls'>,
  books: BatchBooks,
): Promise<Check> {
  const file = join(stateDirectory, 'provider', 'bill.jsonl');
  if (!existsSync(file)) return { name: 'bill', status: 'skipped', detail: 'only the built-in simulator keeps a bill next to the state' };
  const missing = new Map<string, ReadonlySet<string>>();
  for (const event of events) if (event.type === 'batch-collected') missing.set(event.batchId, new Set(event.missing));
  // Requests of another program are on its bill, under its ids.
  const imported = new Set(events.flatMap((event) => (event.type === 'batch-imported' ? [event.batchId] : [])));
  const billed = new Map<string, BatchSum>();
  let lost = 0;
  let open = 0;
  for await (const text of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
    const line = parseBillLine(text);
    const batchId = line?.batchId ?? LIVE;
    const missingIds = batchId === LIVE ? NONE : missing.get(batchId);
    if (imported.has(batchId)) continue;
    if (line === null || missingIds === undefined) open += 1;
    else if (missingIds.has(line.customId ?? '') || books.silentOf(batchId).has(line.customId ?? '')) lost += 1;
    else {
      billed.set(batchId, addAttempt(billed.get(batchId) ?? NOTHING, readUsage(line.usage, { hasOutput: false })));
    }
  }
  const faults = [...billed].flatMap(([batchId, bill]) => {
    const own = books.ofBatch(batchId);
    if (batchId === LIVE && own.attempts < bill.attempts) {
      lost += bill.attempts - own.attempts;
      // No more than were announced can have been billed.
      return bill.attempts <= announcedCalls
        ? []
        : [`live: ${formatThings(bill.attempts, 'attempt')} on the bill, ${formatCount(own.attempts)} in the ledger`];
    }
    // Tokens unknown to one side cannot be compared.
    const areKnown = own.unknown === 0 && bill.unknown === 0;
    const isSame = own.attempts === bill.attempts && (!areKnown || JSON.stringify(own.usage) === JSON.stringify(bill.usage));
    return isSame
      ? []
      : [
          `${batchId || 'live'}: ${formatThings(bill.attempts, 'attempt')} on the bill, ${formatCount(own.attempts)} in the ledger, or other tokens`,
        ];
  });
  const attempts = [...billed.values()].reduce((sum, bill) => sum + bill.attempts, 0);
  const beside = `${lost === 0 ? '' : `; ${lost} were billed without an answer`}${open === 0 ? '' : `; ${open} are not collected yet`}`;
  return decideCheck(
    'bill',
    faults.length === 0,
    faults.join('; ') || `${formatThings(attempts, 'billed attempt')}, each in the ledger${beside}`,
  );
}

function parseBillLine(text: string): BillLine | null {
  try {
    return JSON.parse(text) as BillLine;
  } catch {
    // A line that is being written right now.
    return null;
  }
}
