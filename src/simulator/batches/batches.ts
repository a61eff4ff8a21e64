import { hashDigits, hashNumber } from '../hash.ts';
import { answerJson, type WireAnswer, type WireRequest } from '../http-types.ts';
import { cutPage } from '../pages.ts';
import { readJsonBody } from '../request-body.ts';
import { nowSeconds, type Simulation } from '../simulation.ts';
import type { BatchRecord } from '../store.ts';
import { WireError } from '../wire-error.ts';
import { isTerminal } from '../wire-objects.ts';
import { readBatchRequest } from './batch-creation.ts';
import { viewBatch } from './batch-view.ts';

const HOUR_MS = 3_600_000;
const DAY_SECONDS = 86_400;

/** POST /v1/batches: always a new batch, there is no idempotency key. Problems of the file appear only later, in its status. */
export async function createBatch(simulation: Simulation, request: WireRequest): Promise<WireAnswer> {
  const { store, clock, faults, limits } = simulation;
  const asked = readBatchRequest((await readJsonBody(request.stream)).body);
  const nowMs = clock.now();
  const recent = [...store.batches.values()].filter((batch) => batch.createdAtMs > nowMs - HOUR_MS);
  if (recent.length >= limits.batchesPerHour) {
    const message = `Rate limit reached for batch creation in organization org-simulated: Limit ${limits.batchesPerHour} batches per hour. Please try again later.`;
    throw new WireError(429, { message, type: 'requests', code: 'rate_limit_exceeded' });
  }
  const number = store.batches.size + 1;
  const createdAt = nowSeconds(clock);
  const record: BatchRecord = {
    number,
    createdAtMs: nowMs,
    enqueuedTokens: 0,
    outputExpiresAfterSeconds: asked.outputExpiresAfterSeconds,
    faults: faults.batchFaults({ batch: number }),
    finishedAtMs: null,
    wire: {
      id: `batch_${hashDigits(store.identity, 'batch', number)}`,
      object: 'batch',
      endpoint: asked.endpoint,
      model: null,
      errors: null,
      input_file_id: asked.inputFileId,
      completion_window: '24h',
      status: 'validating',
      output_file_id: null,
      error_file_id: null,
      created_at: createdAt,
      in_progress_at: null,
      expires_at: createdAt + DAY_SECONDS,
      finalizing_at: null,
      completed_at: null,
      failed_at: null,
      expired_at: null,
      cancelling_at: null,
      cancelled_at: null,
      request_counts: { total: 0, completed: 0, failed: 0 },
      usage: null,
      metadata: asked.metadata,
    },
  };
  store.saveBatch(record);
  simulation.startBatch(record.wire.id);
  const view = viewBatch(simulation, record, 0);
  const borrowed = record.faults.find((fault) => fault.type === 'idOfBatch')?.number;
  const other = [...store.batches.values()].find((batch) => batch.number === borrowed);
  return answerJson(other === undefined ? view : { ...view, id: other.wire.id });
}

/** GET /v1/batches: newest first by default, `limit` 1..100 (default 20), `after`; batches younger than the listing lag are not listed yet. */
export async function listBatches(simulation: Simulation, { query }: WireRequest): Promise<WireAnswer> {
  const nowMs = simulation.clock.now();
  const listed = [...simulation.store.batches.values()].filter(
    (record) => record.createdAtMs + lagOf(record, simulation) <= nowMs && !isVanished(record, nowMs),
  );
  if (simulation.listOrder !== 'oldest_first') listed.reverse();
  if (simulation.listOrder === 'mixed') listed.sort((left, right) => hashNumber(left.wire.id) - hashNumber(right.wire.id));
  const page = cutPage(
    listed.map((record) => ({ id: record.wire.id, record })),
    query,
    { defaultLimit: 20, mostLimit: 100 },
  );
  return answerJson({ ...page, data: page.data.map(({ record }) => viewBatch(simulation, record, 0)) });
}

/** GET /v1/batches/{id} */
export async function retrieveBatch(simulation: Simulation, { id }: WireRequest): Promise<WireAnswer> {
  const record = findBatch(simulation, id);
  return answerJson(viewBatch(simulation, record, isTerminal(record.wire.status) ? simulation.countLook(id) : 0));
}

/** POST /v1/batches/{id}/cancel: 409 once it has completed, failed or expired; cancelling twice is allowed. */
export async function cancelBatch(simulation: Simulation, { id, stream }: WireRequest): Promise<WireAnswer> {
  stream.resume();
  const record = findBatch(simulation, id);
  const { status } = record.wire;
  if (status === 'completed' || status === 'failed' || status === 'expired') {
    throw new WireError(409, { message: `Cannot cancel a batch with status '${status}'.` });
  }
  if (status === 'cancelling' || status === 'cancelled') return answerJson(viewBatch(simulation, record, 0));
  const cancelling: BatchRecord = {
    ...record,
    wire: { ...record.wire, status: 'cancelling', cancelling_at: nowSeconds(simulation.clock) },
  };
  simulation.store.saveBatch(cancelling);
  simulation.stopBatch(id);
  return answerJson(viewBatch(simulation, cancelling, 0));
}

function findBatch({ store, clock }: Simulation, id: string): BatchRecord {
  const record = store.batches.get(id);
  if (record === undefined || isVanished(record, clock.now())) throw new WireError(404, { message: `No batch found with id '${id}'.` });
  return record;
}

function isVanished({ faults, createdAtMs }: BatchRecord, nowMs: number): boolean {
  return faults.some((fault) => fault.type === 'vanish' && nowMs < createdAtMs + fault.forMs);
}

function lagOf({ faults }: BatchRecord, { listLagMs }: Simulation): number {
  return faults.find((fault) => fault.type === 'listLag')?.lagMs ?? listLagMs;
}
