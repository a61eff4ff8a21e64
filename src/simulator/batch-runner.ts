import { executeBatch } from './batch-execution.ts';
import { type ValidatedInput, validateInput } from './batch-validation.ts';
import type { BilledRows } from './bill.ts';
import type { BatchAction } from './fault-plan.ts';
import { lookUpFile } from './files.ts';
import { nowSeconds, type Simulation } from './simulation.ts';
import type { BatchRecord } from './store.ts';
import { type BatchError, isTerminal, type WireBatch } from './wire-objects.ts';

/** The share of a batch's time after which it is in progress; the last tenth is spent finalizing. */
const VALIDATED_SHARE = 0.1;
const EXECUTED_SHARE = 0.9;
const DAY_MS = 86_400_000;

/** Carries one batch from its creation, or from where a killed process left it, to a terminal status. */
export async function runBatch(simulation: Simulation, batchId: string, billed: BilledRows): Promise<void> {
  const { store, clock } = simulation;
  const read = (): BatchRecord => store.batches.get(batchId) as BatchRecord;
  const created = read();
  const fault = <T extends BatchAction['type']>(type: T) =>
    created.faults.find((action): action is Extract<BatchAction, { type: T }> => action.type === type);
  const deadlineMs = created.createdAtMs + DAY_MS;
  const instant = (share: number): number => Math.min(created.createdAtMs + share * simulation.batchMs, deadlineMs);

  const stuckIn = created.wire.status === 'cancelling' ? undefined : fault('stuck')?.status;
  if (stuckIn === 'validating') return;
  const input = await validate(simulation, created);
  await clock.waitUntil(instant(VALIDATED_SHARE));
  const errors = listErrors(simulation, read(), input);
  if (errors.length > 0) {
    const failure = { status: 'failed', failed_at: nowSeconds(clock), errors: { object: 'list', data: errors } } as const;
    return update(simulation, batchId, failure, { finishedAtMs: clock.now() });
  }
  begin(simulation, batchId, input);
  const end = await executeBatch(simulation, batchId, {
    index: input.index,
    billed,
    paceOf: (share) => instant(VALIDATED_SHARE + share * (EXECUTED_SHARE - VALIDATED_SHARE)),
    deadlineMs,
  });
  if (end === 'stuck') return;
  const isCancelled = end.outcome === 'cancelled';
  const phase = isCancelled
    ? ({ status: 'cancelling', cancelling_at: nowSeconds(clock) } as const)
    : ({ status: 'finalizing', finalizing_at: nowSeconds(clock) } as const);
  if (read().wire.status !== 'cancelling') update(simulation, batchId, phase);
  if (fault('stuck')?.status === read().wire.status) return end.abandon();
  // A batch that was asked to stop does not sit out its time.
  if (created.faults.some(({ type }) => type === 'cancel') || !isCancelled) await clock.waitUntil(instant(1));
  const outcome = read().wire.status === 'cancelling' ? 'cancelled' : end.outcome;
  const files = end.publish();
  simulation.faults.keepRowCounts();
  update(
    simulation,
    batchId,
    { status: outcome, [`${outcome}_at`]: nowSeconds(clock), ...files },
    { finishedAtMs: clock.now(), enqueuedTokens: 0 },
  );
}

/** The lines are good: the batch is in progress, and holds its tokens against the queue. */
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

/** The limit of the queue that a batch of this model stands in: a fault's, or the simulator's. */
function limitOf(simulation: Simulation, batch: BatchRecord, model: string | null): number | undefined {
  const own = batch.faults.find((action) => action.type === 'enqueuedTokens');
  return own?.most ?? (model === null ? undefined : simulation.enqueuedTokensOf(model));
}

async function validate(simulation: Simulation, batch: BatchRecord): Promise<ValidatedInput> {
  if (lookUpFile(simulation, batch.wire.input_file_id) === undefined) {
    const { input_file_id: id } = batch.wire;
    const message = `Cannot find file ${id}, or organization org-simulated does not have access to it.`;
    const error: BatchError = { code: 'invalid_request', message, param: 'file_id', line: null };
    return { errors: [error], index: { offsets: new Float64Array(1), count: 0 }, model: null, promptTokens: 0 };
  }
  return validateInput(simulation.store.contentPath(batch.wire.input_file_id), {
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
