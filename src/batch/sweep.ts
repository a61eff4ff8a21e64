import type { Ledger } from '../ledger/ledger.ts';
import { ApiError } from '../openai/api-error.ts';
import { createPatience } from './backoff.ts';
import type { BatchContext } from './context.ts';
import { isNoList, listBatches } from './list-batches.ts';
import { findNoBatches } from './no-batches.ts';
import { mayComeBack } from './vanished-batches.ts';

/**
 * Compares the provider's list with the ledger: a batch with our state's id, or one of our input files, that no create accounts
 * for, becomes an extra. Creates with an unknown outcome are left to their own searches.
 * @throws AppError exit 4 if the address has no batches and none was ever created there
 */
export async function sweepBatches(context: BatchContext, since: string): Promise<void> {
  const { ledger } = context;
  const batches = await listPatiently(context, since);
  const undecided = new Set([...ledger.fold.shards.values()].filter(isUndecided).map((shard) => shard.id));
  const shardByFile = new Map([...ledger.fold.shards.values()].map((shard) => [shard.fileId, shard.id]));
  const otherStates = new Set<string>();
  for (const batch of batches) {
    if (ledger.fold.batches.has(batch.id)) continue;
    const { rowmill, state, shard, attempt } = batch.metadata;
    const shardId = state === ledger.stateId ? (shard ?? null) : state === undefined ? (shardByFile.get(batch.inputFileId) ?? null) : null;
    if (state === ledger.stateId || shardId !== null) {
      if (shardId !== null && undecided.has(shardId)) continue;
      const made = attempt === undefined ? {} : { attempt: Number(attempt) };
      await ledger.append({ type: 'batch-extra', batchId: batch.id, shard: shardId, ...made });
    } else if (rowmill === context.jobName && state !== undefined) otherStates.add(state);
  }
  for (const state of otherStates)
    context.warn(
      `the provider has batches of job ${context.jobName} from another state directory, whose log begins with its id ${state}; they are left alone`,
    );
}

/** Whether the list may contain something unknown to the ledger: otherwise a run with live calls does not need it. */
export function mayHaveUnknownBatches({ ledger, clock }: Pick<BatchContext, 'ledger' | 'clock'>): boolean {
  const { batches, absentCreates } = ledger.fold;
  return (
    hasOpenBatches(ledger) ||
    [...absentCreates.values()].some(({ sentAt }) => mayComeBack(sentAt, clock)) ||
    [...batches.values()].some(({ status, submittedAt }) => status === 'lost' && mayComeBack(submittedAt, clock))
  );
}

/** Whether a batch is still to be collected, or the create of one is in doubt. */
export function hasOpenBatches({ fold }: Pick<Ledger, 'fold'>): boolean {
  return [...fold.shards.values()].some(isUndecided) || [...fold.batches.values()].some(({ isCollected }) => !isCollected);
}

/** The API's completion window: 24 h. */
const BATCH_LIFE_MS = 86_400_000;

/** From when on there may be batches at the provider that the ledger does not know. A state without a run looks back a day: the lifetime of a batch left by another checkout of the job. */
export function findSweepStart({ fold }: Pick<Ledger, 'fold'>, clock: () => Date): string {
  return fold.runs.at(-1)?.startedAt ?? new Date(clock().getTime() - BATCH_LIFE_MS).toISOString();
}

function isUndecided(shard: { readonly status: string }): boolean {
  return shard.status === 'creating' || shard.status === 'create-unknown';
}

async function listPatiently(context: BatchContext, since: string) {
  const patience = createPatience(context, "the look at the provider's list of batches");
  for (;;) {
    try {
      const { batches, doubt } = await listBatches(context, since);
      if (doubt !== null) context.warn(`${doubt}; batches of ours that it does not show are looked for again by the next run`);
      return batches;
    } catch (error) {
      if (!(error instanceof ApiError) || error.kind === 'stop') throw error;
      if (isNoList(error)) {
        const hasNone = mayHaveUnknownBatches(context) ? null : findNoBatches(context, 'GET /batches', error.message);
        if (hasNone !== null) throw hasNone;
        // Creates in doubt are searched for separately, and batches in progress are polled individually: nothing is concluded from this.
        context.warn(`the list of batches cannot be read (${error.message}); it is looked at again by the next run`);
        return [];
      }
      if (error.kind === 'permanent') return [];
      await patience.waitAfter(error);
    }
  }
}
