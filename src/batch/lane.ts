import { setMaxListeners } from 'node:events';
import type { Request } from '../core/request.ts';
import { countAnswerCaps, makeRequestLine } from '../core/request.ts';
import type { ShardWriter } from '../ledger/ledger.ts';
import { MAX_BYTES_PER_CHARACTER } from '../ledger/shard-writer.ts';
import type { RemoteBatch } from '../openai/wire.ts';
import { createAdmission } from './admission.ts';
import { createShardBreaker } from './breaker.ts';
import { type BatchCache, createCacheCarrier } from './cache-carrier.ts';
import { collectExtra } from './collect.ts';
import type { BatchContext } from './context.ts';
import { createCutSize } from './cut-size.ts';
import { runShardLifecycle } from './shard-lifecycle.ts';
import type { Phase } from './shard-lifecycle-options.ts';
import { sleepUntil } from './sleep-until.ts';
import { createMutex } from './upload.ts';

/** Shards that are cut but not yet with the provider; more would only lie on disk. */
const MAX_UNSENT_SHARDS = 2;

/** One shard or extra batch under way, as progress and status show it. */
export interface ShardView {
  readonly shard: string | null;
  readonly rows: number;
  readonly phase: Phase;
  /** The latest answer to a poll. */
  readonly batch: RemoteBatch | null;
}

/** Lane 1: requests go in, answers appear in the ledger. */
export interface BatchLane {
  /** Takes up what the ledger holds unfinished and nobody travels with: shards on their way, and extra batches. */
  resume(): void;
  /** Packs one request. Waits while enough shards are on their way. @throws what stopped the lane */
  add(request: Request, tokens: number): Promise<void>;
  /** Sends the shard being filled, however small. */
  flush(): Promise<void>;
  /** Drops the shard being filled; its rows stay pending. */
  abandon(): Promise<void>;
  /** Takes everything back: no more batches, those there are get cancelled, and what they finished is collected. The rest is given back. */
  recall(): void;
  /** Resolves when a shard has ended since the last call, or none is left. @throws what stopped the lane */
  nextEnd(): Promise<void>;
  /** Whether rows were given back unanswered since the last call: the table has to be gone through again. */
  takeGivenBack(): boolean;
  readonly underWay: readonly ShardView[];
  /** Resolves when any shard has entered another phase, been polled, or ended. */
  nextChange(): Promise<void>;
  /** What the shard being filled holds, until it is on its way. */
  readonly filling: { readonly rows: number; readonly bytes: number; readonly answerCaps: number };
  readonly admission: { readonly limitTokens: number | null; readonly usedTokens: number };
  /** Waits until every shard has ended, whether well or not; the first fault is kept for `nextEnd`. */
  drain(): Promise<void>;
}

export interface BatchLaneOptions {
  readonly model: string;
  readonly url: string;
  /** The job's own limit; the account's is learned. */
  readonly enqueuedTokens: number | null;
  /** Whether what is gathered is measured line by line, for a budget; otherwise its bytes are an upper bound. */
  readonly countsBytes?: boolean;
  /** What lines say about the prompt cache; null or absent leaves it to the provider. */
  readonly cache?: BatchCache | null;
  /** Whether rows may wait for the first batch that shows whether batches take that. */
  readonly waitsForEvidence?: boolean;
}

/** No night is lost to it: a batch that takes longer than this shows nothing to the run that waits. */
const EVIDENCE_WAIT_MS = 1_800_000;

const NOTHING = { rows: 0, bytes: 0, answerCaps: 0 };

export function createBatchLane(context: BatchContext, options: BatchLaneOptions): BatchLane {
  const { ledger } = context;
  const learned = ledger.fold.learnedLimits.get(options.model) ?? null;
  const limitTokens = learned === null ? options.enqueuedTokens : Math.min(learned, options.enqueuedTokens ?? learned);
  const admission = createAdmission(limitTokens);
  const cutSize = createCutSize(limitTokens);
  const breaker = createShardBreaker();
  const inUploadTurn = createMutex();
  const carrier = createCacheCarrier(ledger, options.model, options.cache ?? null);
  const recalled = new AbortController();
  // Every shard listens.
  setMaxListeners(0, recalled.signal);
  const underWay = new Map<string, { view: ShardView; promise: Promise<void> }>();
  let writer: ShardWriter | null = null;
  let gathered = NOTHING;
  let fault: { readonly error: unknown } | null = null;
  let hasGivenBack = false;
  let endsSeen = 0;
  let endsTold = 0;
  const wake: (() => void)[] = [];

  function tellChange(): void {
    for (const tell of wake.splice(0)) tell();
  }
  context.stopping.addEventListener('abort', tellChange, { once: true });

  function begin(id: string, view: ShardView, travel: (update: (change: Partial<ShardView>) => void) => Promise<void>): void {
    const lifecycle = { view, promise: Promise.resolve() };
    underWay.set(id, lifecycle);
    const update = (change: Partial<ShardView>) => {
      lifecycle.view = { ...lifecycle.view, ...change };
      tellChange();
    };
    lifecycle.promise = travel(update)
      .catch((error: unknown) => {
        fault ??= { error };
      })
      .finally(() => {
        underWay.delete(id);
        beginExtras();
        endsSeen += 1;
        tellChange();
      });
  }

  function beginShard(id: string): void {
    const shard = ledger.fold.shards.get(id);
    if (shard === undefined) throw new Error(`shard ${id} is not in the ledger`);
    begin(id, { shard: id, rows: shard.rows, phase: 'uploading', batch: null }, async (update) => {
      const end = await runShardLifecycle(context, {
        shard,
        admission,
        cutSize,
        breaker,
        inUploadTurn,
        recalled: recalled.signal,
        onPhase: (phase) => update({ phase }),
        onPoll: (batch) => update({ batch }),
      });
      hasGivenBack ||= end === 'given-back';
    });
  }

  function beginExtras(): void {
    if (fault !== null || context.stopping.aborted) return;
    for (const batch of ledger.fold.batches.values()) {
      if (!batch.isExtra || batch.isCollected || underWay.has(batch.id)) continue;
      begin(batch.id, { shard: batch.shard, rows: 0, phase: 'polling', batch: null }, (update) =>
        collectExtra(context, batch.id, (remote) => update({ batch: remote })),
      );
    }
  }

  function throwFault(): void {
    if (fault !== null) throw fault.error;
    context.stopping.throwIfAborted();
  }

  function change(): Promise<void> {
    return new Promise((resolve) => wake.push(resolve));
  }

  /** The rows after the first ones wait for what those show: their price depends on it. */
  async function awaitEvidence(tokens: number): Promise<void> {
    await lane.flush();
    const untilMs = context.clock().getTime() + EVIDENCE_WAIT_MS;
    while (options.waitsForEvidence === true && carrier.mustWait(tokens) && fault === null && !recalled.signal.aborted) {
      const leftMs = untilMs - context.clock().getTime();
      if (leftMs <= 0) break;
      await sleepUntil(context, leftMs, change());
    }
    if (carrier.mustWait(tokens)) carrier.giveUp();
    throwFault();
  }

  const countUnsent = () =>
    [...underWay.values()].filter(({ view }) => view.phase === 'uploading' || view.phase === 'waiting' || view.phase === 'creating').length;

  const lane: BatchLane = {
    resume() {
      for (const shard of ledger.fold.shards.values()) {
        if (shard.status !== 'collected' && shard.status !== 'retired' && !underWay.has(shard.id)) beginShard(shard.id);
      }
      beginExtras();
    },
    async add(request, tokens) {
      throwFault();
      if (carrier.mustWait(tokens)) await awaitEvidence(tokens);
      const dressed = { url: request.url, body: carrier.dress(request, tokens) };
      const line = makeRequestLine({ ...request, body: context.provider.deliver(dressed) });
      const bytes = options.countsBytes === true ? Buffer.byteLength(line) + 1 : (line.length + 1) * MAX_BYTES_PER_CHARACTER;
      if (
        writer !== null &&
        (writer.rows >= cutSize.maxRequests || writer.bytes + bytes > cutSize.maxBytes || writer.tokens + tokens > cutSize.maxTokens)
      ) {
        await lane.flush();
      }
      writer ??= ledger.createShardWriter(ledger.nextShardId());
      const answerCaps = gathered.answerCaps + countAnswerCaps(request.customId);
      gathered = { rows: gathered.rows + 1, bytes: gathered.bytes + bytes, answerCaps };
      await writer.add(line, request.customId, tokens);
    },
    async flush() {
      if (writer === null) return;
      while (countUnsent() >= MAX_UNSENT_SHARDS) {
        throwFault();
        await change();
      }
      throwFault();
      const full = writer;
      // The limit was learned while this shard filled up: its rows are cut anew.
      const isTooLarge = full.rows > 1 && full.tokens > cutSize.maxTokens;
      if (isTooLarge || recalled.signal.aborted) {
        hasGivenBack = true;
        return lane.abandon();
      }
      writer = null;
      const probe = carrier.takeProbe();
      await full.finish({ model: options.model, url: options.url, ...(probe.length === 0 ? {} : { probe }) });
      beginShard(full.shard);
      gathered = NOTHING;
    },
    async abandon() {
      await writer?.abandon();
      writer = null;
      carrier.takeProbe();
      gathered = NOTHING;
    },
    recall: () => recalled.abort(),
    async nextEnd() {
      while (endsSeen === endsTold && underWay.size > 0 && fault === null && !context.stopping.aborted) await change();
      endsTold = endsSeen;
      throwFault();
    },
    takeGivenBack() {
      const answer = hasGivenBack;
      hasGivenBack = false;
      return answer;
    },
    get underWay() {
      return [...underWay.values()].map(({ view }) => view);
    },
    nextChange: change,
    get filling() {
      return gathered;
    },
    admission,
    async drain() {
      while (underWay.size > 0) await Promise.all([...underWay.values()].map(({ promise }) => promise));
    },
  };
  return lane;
}
