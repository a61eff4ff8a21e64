import type { ShardView } from '../../batch/batch-lane.ts';
import type { Job } from '../../core/job.ts';
import type { LaneName } from '../../core/lane.ts';
import type { ShardStatus } from '../../ledger/events/fold.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { Books } from '../open/books.ts';
import type { Plan } from '../plan/plan-result.ts';
import { countAsked } from '../plan/spending.ts';

/** What a run still has to get answered, as far as is known. */
export interface RemainingWork {
  readonly requests: number;
  readonly promptTokens: number;
  readonly answerTokens: number;
}

export interface RemainingWorkOptions {
  readonly plan: Pick<Plan, 'rows' | 'tokens'>;
  readonly ledger: Ledger;
  readonly books: Books;
  readonly underWay: () => readonly ShardView[];
}

/** Or may be; the plan has counted what waits in other shards. */
export const WITH_PROVIDER: ReadonlySet<ShardStatus> = new Set(['creating', 'create-unknown', 'submitted']);

/** For one answer, if the plan sends nothing and nothing was answered yet. */
const ASSUMED_ANSWER_TOKENS = 200;

/** Counts down from the plan: what was answered since, and what the batches in progress report as done. */
export function createRemainingWorkCount({ plan, ledger, books, underWay }: RemainingWorkOptions): () => RemainingWork {
  const { rows, tokens } = plan;
  const toSend = countAsked(plan);
  const requests = toSend + rows.inFlight;
  const shards = [...ledger.fold.shards.values()].filter(({ status }) => WITH_PROVIDER.has(status));
  const promptTokens = shards.reduce((sum, shard) => sum + shard.tokens, tokens.input);
  const perAnswer = toSend > 0 ? tokens.outputExpected / toSend : (readMeanAnswer(books) ?? ASSUMED_ANSWER_TOKENS);
  const { keys } = ledger;
  const answeredBefore = keys.answered;
  return () => {
    const done = underWay().reduce((sum, { phase, batch }) => sum + (phase === 'polling' ? (batch?.counts.completed ?? 0) : 0), 0);
    const left = Math.max(0, requests - (keys.answered - answeredBefore) - done);
    const share = requests === 0 ? 0 : left / requests;
    return { requests: left, promptTokens: Math.round(promptTokens * share), answerTokens: Math.round(perAnswer * left) };
  };
}

function readMeanAnswer({ life }: Books): number | null {
  const attempts = life.batchAttempts + life.liveAttempts;
  return attempts === 0 ? null : life.usage.outputTokens / attempts;
}

/** If the job sets no limits, and no call has shown the account's yet: the lowest of paid accounts for small models (seen 2026-11-21). */
const ASSUMED_LIMITS = { requestsPerMinute: 500, tokensPerMinute: 200_000 };
/** The share of its limits that a run sustains, with room for answers that have to be requested again. */
const USED_SHARE = 0.8;

/** How long the rest takes live under the job's limits, in milliseconds. */
export function estimateLiveMs({ requests, promptTokens, answerTokens }: RemainingWork, limits: Job['limits']): number {
  const byRequests = requests / (limits.requestsPerMinute ?? ASSUMED_LIMITS.requestsPerMinute);
  const byTokens = (promptTokens + answerTokens) / (limits.tokensPerMinute ?? ASSUMED_LIMITS.tokensPerMinute);
  return (Math.max(byRequests, byTokens) / USED_SHARE) * 60_000;
}

/** What the rest costs in a lane, in nano-dollars; null if the price is unknown. */
export function estimateRemainingNanoUsd(
  remaining: RemainingWork,
  lane: LaneName,
  { model, costOf }: { model: string; costOf: Books['costOf'] },
): number | null {
  const usage = {
    inputTokens: remaining.promptTokens,
    cachedInputTokens: 0,
    cacheWriteTokens: 0,
    outputTokens: remaining.answerTokens,
    reasoningTokens: 0,
  };
  return costOf({ usage, isBilled: true, model, tier: null, createdSeconds: null, lane });
}
