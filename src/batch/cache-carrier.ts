import { addDelivery, type CacheDelivery, isCacheRefusal } from '../core/delivery.ts';
import { parseCustomId, type Request } from '../core/request.ts';
import { makeCacheOptionKey, type ShardState } from '../ledger/events/fold.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { BatchContext } from './context.ts';

/** The prompt cache settings of lines in batches. */
export interface BatchCache {
  /** The settings of this line. */
  readonly of: (request: Request) => CacheDelivery;
  /** Whether to send them before a batch has shown that they are accepted: the job says so. */
  readonly insists: boolean;
}

/** How many lines try it: a refusal costs nothing, but they have to be sent again. */
const PROBE_LINES = 20;
/** Shorter prompts are never written to the cache (OpenAI's guide to prompt caching, seen 2026-11-29). */
const LEAST_TOKENS = 1_024;

/** Decides line by line what is sent with it, and remembers which lines of the current shard are the test. */
export interface CacheCarrier {
  /** Whether this line is better sent once it is known whether batches accept the settings. */
  mustWait(tokens: number): boolean;
  /** No further waiting: later lines go without. */
  giveUp(): void;
  /** The body of the line. */
  dress(request: Request, tokens: number): string;
  /** The test lines of the shard just filled; the next shard starts without any. */
  takeProbe(): readonly string[];
}

export function createCacheCarrier(ledger: Pick<Ledger, 'fold'>, model: string, cache: BatchCache | null): CacheCarrier {
  const { fold } = ledger;
  let probe: string[] = [];
  let hasGivenUp = false;

  const known = () => fold.cacheOptions.get(makeCacheOptionKey('batch', model));
  const isTriedOut = () =>
    [...fold.shards.values()].some(
      (shard) => shard.model === model && shard.probe.length > 0 && shard.status !== 'collected' && shard.status !== 'retired',
    );
  const isOpen = (tokens: number) => cache !== null && !cache.insists && !hasGivenUp && tokens >= LEAST_TOKENS && known() === undefined;
  const mustWait = (tokens: number) => isOpen(tokens) && (probe.length >= PROBE_LINES || isTriedOut());

  function carries(tokens: number): boolean {
    if (cache === null || known() === false) return false;
    if (cache.insists) return true;
    return known() === true ? tokens >= LEAST_TOKENS : isOpen(tokens) && !mustWait(tokens);
  }

  return {
    mustWait,
    giveUp() {
      hasGivenUp = true;
    },
    dress(request, tokens) {
      if (cache === null || !carries(tokens)) return request.body;
      if (probe.length < PROBE_LINES) probe.push(request.customId);
      return addDelivery(request, { serviceTier: null, cache: cache.of(request) });
    },
    takeProbe() {
      const taken = probe;
      probe = [];
      return taken;
    },
  };
}

/** What the answers to a shard's test lines show, once they are collected: it is remembered, so that no later batch has to try. */
export async function learnFromAnswers(context: BatchContext, shard: ShardState, batchId: string): Promise<void> {
  const { keys, readHistory } = context.ledger;
  const outcomes = shard.probe.flatMap((customId) => {
    const record = readHistory(keys.find(parseCustomId(customId)?.key ?? '')).find(({ location }) => location.file.startsWith(batchId));
    return record === undefined ? [] : [record];
  });
  if (outcomes.some(({ outcome }) => outcome === 'undelivered')) return learn(context, shard, false);
  if (outcomes.some(({ isBilled }) => isBilled)) await learn(context, shard, true);
}

/** Whether a batch failed because of the settings in its lines; then that is remembered, and its rows are sent again without them. */
export async function learnFromFailure(
  context: BatchContext,
  shard: ShardState,
  errors: readonly { readonly message: string; readonly param: string | null }[],
): Promise<boolean> {
  if (shard.probe.length === 0 || !errors.some(isCacheRefusal)) return false;
  await learn(context, shard, false);
  return true;
}

async function learn({ ledger, warn }: BatchContext, { model }: ShardState, isTaken: boolean): Promise<void> {
  if (ledger.fold.cacheOptions.get(makeCacheOptionKey('batch', model)) === isTaken) return;
  await ledger.append({ type: 'cache-option-learned', model, lane: 'batch', isTaken });
  if (!isTaken)
    warn('batches at this address do not take prompt_cache_options; nothing was billed for it, and those requests go again without it');
}
