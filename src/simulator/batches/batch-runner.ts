import * as fs from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { ANSWERING_ENDPOINTS } from '../answers/request-rules.ts';
import type { BilledRows } from '../bill.ts';
import { nowSeconds, type Simulation } from '../simulation.ts';
import type { BatchRecord } from '../store.ts';
import { type BatchError, isTerminal, type WireBatch } from '../wire-objects.ts';
import { executeBatch } from './batch-execution.ts';
import { type ValidatedInput, validateInput } from './batch-validation.ts';
import { isFailedShape } from './batch-view.ts';
import { lookUpFile } from './files.ts';

/** The share of a batch's time after which it is in progress; the last tenth is spent finalizing. */
const VALIDATED_SHARE = 0.1;
const EXECUTED_SHARE = 0.9;
const DAY_MS = 86_400_000;

/** The starting point of the work on one batch. */
export interface BatchWork {
  /** What a killed process had executed of it. */
  readonly billed: BilledRows;
  /** Aborted when the batch is to be cancelled: waiting ends early. */
  readonly cancelled: AbortSignal;
}

/** Takes one batch from its creation, or from where a killed process left it, to a terminal status. */
export async function runBatch(simulation: Simulation, batchId: string, work: BatchWork): Promise<void> {
  const created = simulation.store.batches.get(batchId) as BatchRecord;
  if (stuckStatus(created) === 'validating' && created.wire.status !== 'cancelling') return;
  // Kept open to the end: a client may delete the file while its batch runs.
  const file = await openInput(simulation, created);
  try {
    const input = file === undefined ? missingInput(created) : await validate(simulation, created, file);
    await simulation.clock.waitUntil(instantOf(simulation, created, VALIDATED_SHARE), work.cancelled);
    const errors = listErrors(simulation, created, input);
    if (errors.length > 0) return fail(simulation, batchId, errors);
    begin(simulation, batchId, input);
    if (file !== undefined) await execute(simulation, batchId, { ...work, file, input });
  } finally {
    await file?.close();
  }
}

/** The instant at which this share of a batch's time is over; never later than the end of its completion window. */
function instantOf({ batchMs }: Simulation, { createdAtMs }: BatchRecord, share: number): number {
  return Math.min(createdAtMs + share * batchMs, createdAtMs + DAY_MS);
}

function stuckStatus({ faults }: BatchRecord): WireBatch['status'] | undefined {
  return faults.find((fault) => fault.type === 'stuck')?.status;
}

async function execute(
  simulation: Simulation,
  batchId: string,
  work: BatchWork & { readonly file: FileHandle; readonly input: ValidatedInput },
): Promise<void> {
  const { clock, store, faults } = simulation;
  const read = (): BatchRecord => store.batches.get(batchId) as BatchRecord;
  const batch = read();
  const end = await executeBatch(simulation, batchId, {
    input: work.file,
    index: work.input.index,
    billed: work.billed,
    cancelled: work.cancelled,
    paceOf: (share) => instantOf(simulation, batch, VALIDATED_SHARE + share * (EXECUTED_SHARE - VALIDATED_SHARE)),
    deadlineMs: batch.createdAtMs + DAY_MS,
  });
  if (end === 'stuck') return;
  if (read().wire.status !== 'cancelling') {
    const isCancelled = end.outcome === 'cancelled';
    const seconds = nowSeconds(clock);
    update(
      simulation,
      batchId,
      isCancelled ? { status: 'cancelling', cancelling_at: seconds } : { status: 'finalizing', finalizing_at: seconds },
    );
  }
  if (stuckStatus(batch) === read().wire.status) return end.abandon();
  await clock.waitUntil(instantOf(simulation, batch, 1), work.cancelled);
  const outcome = read().wire.status === 'cancelling' ? 'cancelled' : end.outcome;
  const files = end.publish();
  faults.keepRowCounts();
  const last = { status: outcome, [`${outcome}_at`]: nowSeconds(clock), ...files };
  update(simulation, batchId, last, { finishedAtMs: clock.now(), enqueuedTokens: 0 });
}

function fail(simulation: Simulation, batchId: string, errors: readonly BatchError[]): void {
  const failure = { status: 'failed', failed_at: nowSeconds(simulation.clock), errors: { object: 'list', data: errors } } as const;
  update(simulation, batchId, failure, { finishedAtMs: simulation.clock.now() });
}

/** The lines are valid: the batch is in progress, and counts against the queue. */
function begin(simulation: Simulation, batchId: string, { model, index, promptTokens }: ValidatedInput): void {
  const batch = simulation.store.batches.get(batchId) as BatchRecord;
  const isNew = batch.wire.status === 'validating';
  const phase = isNew ? ({ status: 'in_progress', in_progress_at: nowSeconds(simulation.clock) } as const) : {};
  const enqueuedTokens = limitOf(simulation, batch, model) === undefined ? 0 : promptTokens;
  update(
    simulation,
    batchId,
    { ...phase, model, usage: null, request_counts: { total: index.count, completed: 0, failed: 0 } },
    { enqueuedTokens },
  );
}

/** The queue limit for a batch of this model: a fault's, or the simulator's. */
function limitOf(simulation: Simulation, batch: BatchRecord, model: string | null): number | undefined {
  const own = batch.faults.find((action) => action.type === 'enqueuedTokens');
  return own?.most ?? (model === null ? undefined : simulation.enqueuedTokensOf(model));
}

async function openInput(simulation: Simulation, { wire }: BatchRecord): Promise<FileHandle | undefined> {
  const isThere = lookUpFile(simulation, wire.input_file_id) !== undefined;
  return isThere ? fs.promises.open(simulation.store.contentPath(wire.input_file_id), 'r') : undefined;
}

/** Not refused at creation, but found by validation (seen 2025-08). */
function missingInput({ wire }: BatchRecord): ValidatedInput {
  const message = `Cannot find file ${wire.input_file_id}, or organization org-simulated does not have access to it.`;
  return failedInput('invalid_request', message, 'file_id');
}

function failedInput(code: string, message: string, param: string): ValidatedInput {
  const error: BatchError = { code, message, param, line: null };
  return { errors: [error], index: { offsets: new Float64Array(1), count: 0 }, model: null, promptTokens: 0 };
}

function isAnswered(endpoint: string): boolean {
  return (ANSWERING_ENDPOINTS as readonly string[]).includes(endpoint);
}

async function validate(simulation: Simulation, batch: BatchRecord, file: FileHandle): Promise<ValidatedInput> {
  if (!isAnswered(batch.wire.endpoint))
    return failedInput('unsupported_endpoint', `The simulator does not answer ${batch.wire.endpoint}.`, 'endpoint');
  return validateInput(file, {
    refusesCacheOptions: simulation.cacheOptions === 'fails_batches',
    endpoint: batch.wire.endpoint,
    limits: simulation.limits,
    countsTokens: (model) => limitOf(simulation, batch, model) !== undefined,
  });
}

/** What fails the batch as a whole: bad lines, the fault plan, or a full queue. */
function listErrors(simulation: Simulation, batch: BatchRecord, input: ValidatedInput): readonly BatchError[] {
  if (input.errors.length > 0) return input.errors;
  const fault = batch.faults.find((action) => action.type === 'fail');
  if (fault !== undefined) return fault.lines.map((line) => ({ code: fault.code, message: fault.message, param: fault.param, line }));
  if (batch.faults.some((action) => action.type === 'world' && isFailedShape(action.body)))
    return [{ code: 'world', message: 'It fails as the shape says.', param: null, line: null }];
  const most = limitOf(simulation, batch, input.model);
  if (most === undefined || batch.wire.status !== 'validating') return [];
  let queued = 0;
  for (const other of simulation.store.batches.values()) {
    if (other.wire.model === input.model && other.wire.id !== batch.wire.id && !isTerminal(other.wire.status))
      queued += other.enqueuedTokens;
  }
  if (queued + input.promptTokens <= most) return [];
  const message = `Enqueued token limit reached for ${input.model} in organization org-simulated. Limit: ${most.toLocaleString('en-US')} enqueued tokens. Please try again once some in_progress batches have been completed.`;
  return [{ code: 'token_limit_exceeded', message, param: null, line: null }];
}

function update(simulation: Simulation, batchId: string, wire: Partial<WireBatch>, record: Partial<BatchRecord> = {}): void {
  simulation.signal.throwIfAborted();
  const current = simulation.store.batches.get(batchId) as BatchRecord;
  simulation.store.saveBatch({ ...current, ...record, wire: { ...current.wire, ...wire } });
}
