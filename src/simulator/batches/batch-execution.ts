import type { FileHandle } from 'node:fs/promises';
import type { BilledRows } from '../bill.ts';
import type { BatchAction } from '../faults/fault-plan.ts';
import { hashDigits, shuffle } from '../hash.ts';
import type { Simulation } from '../simulation.ts';
import type { BatchRecord } from '../store.ts';
import type { WireBatch } from '../wire-objects.ts';
import { cutChunks, type LineIndex, readLineRange } from './batch-lines.ts';
import { addUsage, type BatchOutput, NO_BATCH_USAGE, openBatchOutput } from './batch-output.ts';
import { type ExecutedRow, executeRow } from './batch-rows.ts';
import { renderUnexecutedLine } from './output-lines.ts';

const MOST_CHUNK_LINES = 1_000;
const MOST_CHUNK_BYTES = 4 << 20;
/** A batch is executed in at least this many steps, so that its counts can be seen to change. */
const LEAST_CHUNKS = 20;
/** How long rows may block the event loop before polls are answered again. */
const TURN_MS = 8;

/** What executing needs besides the batch. */
export interface ExecutionPlan {
  readonly input: FileHandle;
  readonly index: LineIndex;
  readonly billed: BilledRows;
  /** Aborted when the batch is to be cancelled: waiting ends early. */
  readonly cancelled: AbortSignal;
  /** The instant at which this share of the rows may be done. */
  readonly paceOf: (share: number) => number;
  /** When the completion window ends. */
  readonly deadlineMs: number;
}

/** How the rows ended, and how their files are produced. `stuck`: a fault holds the batch where it is forever. */
export type ExecutionEnd =
  | 'stuck'
  | {
      readonly outcome: 'completed' | 'expired' | 'cancelled';
      readonly publish: () => Pick<WireBatch, 'output_file_id' | 'error_file_id'>;
      readonly abandon: () => void;
    };

/**
 * Executes the rows of a validated batch, chunk by chunk in an order drawn by seed, until all are done, it is cancelled, or its window ends.
 * The bill of a chunk is written before its lines. Memory holds one chunk. Rows that a killed process had executed are always answered.
 */
export async function executeBatch(simulation: Simulation, batchId: string, plan: ExecutionPlan): Promise<ExecutionEnd> {
  const { store, clock, seed } = simulation;
  const batch = store.batches.get(batchId) as BatchRecord;
  const files = { output: openBatchOutput(simulation, batch, 'output'), error: openBatchOutput(simulation, batch, 'error') };
  const total = plan.index.count;
  const lines = Math.max(1, Math.min(MOST_CHUNK_LINES, Math.ceil(total / LEAST_CHUNKS)));
  const chunks = shuffle(cutChunks(plan.index, { lines, bytes: MOST_CHUNK_BYTES }), `${seed}/${batch.number}`);
  const halt = findHalt(batch.faults, total);
  const abandon = (): void => {
    for (const file of [files.output, files.error]) file.abandon();
  };
  let done = 0;
  let outcome: ExecutionOutcome = 'completed';
  try {
    for (const [first, last] of chunks) {
      if (outcome === 'completed') await clock.waitUntil(plan.paceOf((done + last - first) / total), plan.cancelled);
      if (store.batches.get(batchId)?.wire.status === 'cancelling') outcome = 'cancelled';
      else if (outcome === 'completed' && clock.now() >= plan.deadlineMs) outcome = 'expired';
      const room = outcome === 'completed' ? Math.min(last, first + (halt?.rows ?? total) - done) : first;
      done += room - first;
      if (outcome === 'completed' && halt !== undefined && done >= halt.rows) outcome = halt.outcome;
      await executeChunk(simulation, batch, { ...plan, files, first, last, room, rejection: rejectionOf(outcome, halt) });
      if (outcome === 'stuck') break;
    }
  } catch (error) {
    abandon();
    throw error;
  }
  if (outcome === 'stuck') {
    abandon();
    return 'stuck';
  }
  return { outcome, abandon, publish: () => ({ output_file_id: files.output.publish(), error_file_id: files.error.publish() }) };
}

type ExecutionOutcome = 'completed' | 'expired' | 'cancelled' | 'stuck';

interface Halt {
  readonly rows: number;
  readonly outcome: 'expired' | 'cancelled' | 'stuck';
  readonly unfinished: 'missing' | 'lines';
}

/** After how many rows a fault ends the work, and how. */
function findHalt(faults: readonly BatchAction[], total: number): Halt | undefined {
  for (const fault of faults) {
    if (fault.type === 'expire') return { rows: Math.floor(fault.share * total), outcome: 'expired', unfinished: 'lines' };
    if (fault.type === 'cancel') return { rows: Math.floor(fault.share * total), outcome: 'cancelled', unfinished: fault.unfinished };
    if (fault.type === 'stuck' && fault.status === 'in_progress')
      return { rows: Math.floor(total / 2), outcome: 'stuck', unfinished: 'missing' };
  }
  return undefined;
}

/** The error code of rows that were not executed; undefined if they are in neither file. */
function rejectionOf(outcome: ExecutionOutcome, halt: Halt | undefined): 'batch_expired' | 'batch_cancelled' | undefined {
  if (outcome === 'expired') return 'batch_expired';
  return outcome === 'cancelled' && halt?.unfinished === 'lines' ? 'batch_cancelled' : undefined;
}

interface ChunkWork {
  readonly input: FileHandle;
  readonly index: LineIndex;
  readonly billed: BilledRows;
  readonly files: { readonly output: BatchOutput; readonly error: BatchOutput };
  readonly first: number;
  readonly last: number;
  /** From this line on only rows that are already on the bill are answered. */
  readonly room: number;
  readonly rejection: 'batch_expired' | 'batch_cancelled' | undefined;
}

async function executeChunk(simulation: Simulation, batch: BatchRecord, work: ChunkWork): Promise<void> {
  const { bill, seed, signal } = simulation;
  const hasRows = work.room > work.first || work.rejection !== undefined || work.billed.size > 0;
  if (!hasRows) return;
  const texts = await readLineRange(work.input, work.index, work.first, work.last);
  const results: ExecutedRow[] = [];
  let turnEndsAt = performance.now() + TURN_MS;
  for (const [offset, text] of texts.entries()) {
    const isExecuted = work.first + offset < work.room || work.billed.has(readCustomId(text));
    if (isExecuted) results.push(executeRow(simulation, batch, { text, row: work.first + offset + 1, billed: work.billed }));
    else if (work.rejection !== undefined) results.push(rejectRow(simulation, batch, readCustomId(text), work.rejection));
    if (performance.now() < turnEndsAt) continue;
    await new Promise((resolve) => setImmediate(resolve));
    turnEndsAt = performance.now() + TURN_MS;
  }
  signal.throwIfAborted();
  bill.append(results.flatMap(({ billed }) => billed));
  const drawSeed = `${seed}/${batch.number}/${work.first}`;
  work.files.output.write(
    shuffle(
      results.map(({ output }) => output),
      drawSeed,
    ).flat(),
  );
  work.files.error.write(
    shuffle(
      results.map(({ error }) => error),
      drawSeed,
    ).flat(),
  );
  showProgress(simulation, batch.wire.id, results);
}

function readCustomId(text: string): string {
  return (JSON.parse(text) as { readonly custom_id: string }).custom_id;
}

function rejectRow({ seed }: Simulation, batch: BatchRecord, customId: string, code: 'batch_expired' | 'batch_cancelled'): ExecutedRow {
  const id = `batch_req_${hashDigits(seed, batch.number, customId)}`;
  return { output: [], error: [renderUnexecutedLine({ id, customId, requestId: '' }, code)], billed: [], charged: [], counted: 'failed' };
}

function showProgress({ store }: Simulation, batchId: string, results: readonly ExecutedRow[]): void {
  const record = store.batches.get(batchId) as BatchRecord;
  const counts = { ...record.wire.request_counts };
  let usage = record.wire.usage ?? NO_BATCH_USAGE;
  for (const { counted, charged } of results) {
    if (counted !== 'not_counted') counts[counted] += 1;
    for (const one of charged) usage = addUsage(usage, one);
  }
  store.showBatch({ ...record, wire: { ...record.wire, request_counts: counts, usage } });
}
