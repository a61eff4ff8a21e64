import { setMaxListeners } from 'node:events';
import { countAnswerCaps, makeRequestLine } from '../core/request.ts';
import { hasInFlight } from '../ledger/index-rules.ts';
import type { ShardWriter } from '../ledger/ledger.ts';
import { MAX_BYTES_PER_CHARACTER } from '../ledger/shard-writer.ts';
import type { RemoteBatch } from '../openai/wire.ts';
import { sleepUntil } from './backoff.ts';
import type { BatchLane, BatchLaneOptions, ShardView } from './batch-lane.ts';
import { createShardBreaker } from './breaker.ts';
import { createCacheCarrier } from './cache-carrier.ts';
import { collectExtra, collectReturned } from './collect.ts';
import type { BatchContext } from './context.ts';
import { createModelQueues } from './queue/model-queues.ts';
import { runShardLifecycle } from './shard-lifecycle.ts';
import { createMutex } from './upload.ts';
import { findReturned } from './vanished-batches.ts';

/** A batch that was given up is looked for again after this many of the longest polls. */
const VANISHED_POLLS = 10;
/** Shards that are cut but not yet at the provider; more would only occupy the disk. */
const MAX_UNSENT_SHARDS = 2;
/** Long enough for most batches: one that takes longer shows nothing to the run that waits. */
const EVIDENCE_WAIT_MS = 1_800_000;
const EVIDENCE = 'evidence';

const NOTHING = { rows: 0, bytes: 0, answerCaps: 0 };

/** A shard that is not cut yet, and what it holds. */
interface Filling {
  readonly url: string;
  readonly model: string;
  readonly writer: ShardWriter;
  readonly gathered: typeof NOTHING;
}

function addTo(sum: typeof NOTHING, bytes: number, answerCaps: number, rows = 1): typeof NOTHING {
  return { rows: sum.rows + rows, bytes: sum.bytes + bytes, answerCaps: sum.answerCaps + answerCaps };
}

export function createBatchLane(context: BatchContext, options: BatchLaneOptions): BatchLane {
  const { ledger } = context;
  const queues = createModelQueues(ledger, options.enqueuedTokens);
  // Its limit is shown before anything is sent.
  queues.of(options.model);
  const breaker = createShardBreaker();
  const inUploadTurn = createMutex();
  const carrier = createCacheCarrier(ledger, options.model, options.cache ?? null);
  const recalled = new AbortController();
  // Every shard listens.
  setMaxListeners(0, recalled.signal);
  const underWay = new Map<string, { view: ShardView; promise: Promise<void> }>();
  /** Shards being filled: one for each endpoint and model. */
  const filling = new Map<string, Filling>();
  let fault: { readonly error: unknown } | null = null;
  let hasGivenBack = false;
  let endsSeen = 0;
  let endsTold = 0;
  const wake: (() => void)[] = [];
  let watch: { readonly end: AbortController; readonly ended: Promise<void> } | null = null;

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
        watchVanished();
        endsSeen += 1;
        tellChange();
      });
  }

  function beginShard(id: string, isResumed: boolean): void {
    const shard = ledger.fold.shards.get(id);
    if (shard === undefined) throw new Error(`shard ${id} is not in the ledger`);
    begin(id, { shard: id, rows: shard.rows, phase: 'uploading', batch: null }, async (update) => {
      const end = await runShardLifecycle(context, {
        shard,
        isResumed,
        ...queues.of(shard.model),
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

  /** Batches that have reappeared, including those found by an earlier process. */
  async function beginReturned(): Promise<void> {
    if (fault !== null || context.stopping.aborted) return;
    await findReturned(context);
    for (const batch of ledger.fold.batches.values()) {
      if (!batch.hasReturned || batch.isExtra || batch.isCollected || underWay.has(batch.id)) continue;
      const number = ledger.fold.shards.get(batch.shard ?? '')?.number ?? 0;
      const isAwaited = number !== 0 && hasInFlight(ledger.keys, number);
      begin(batch.id, { shard: batch.shard, rows: 0, phase: 'polling', batch: null }, async (update) => {
        const onPoll = (remote: RemoteBatch) => update({ batch: remote });
        hasGivenBack = (await collectReturned(context, batch, { isAwaited, recalled: recalled.signal, onPoll })) || hasGivenBack;
      });
    }
    beginExtras();
  }

  /** While work is in progress, given-up batches are looked for now and then. */
  function watchVanished(): void {
    if (watch !== null || underWay.size === 0 || ![...ledger.fold.batches.values()].some(({ status }) => status === 'lost')) return;
    const end = new AbortController();
    const signal = AbortSignal.any([context.stopping, end.signal]);
    const look = async () => {
      for (; underWay.size > 0; await beginReturned()) await context.sleep(VANISHED_POLLS * context.settings.pollMaxMs, signal);
    };
    const ended = look()
      .catch((error: unknown) => {
        if (!signal.aborted) fault ??= { error };
      })
      .finally(() => {
        watch = null;
      });
    watch = { end, ended };
  }

  async function endWatch(): Promise<void> {
    watch?.end.abort();
    await watch?.ended;
  }

  function throwFault(): void {
    if (fault !== null) throw fault.error;
    context.stopping.throwIfAborted();
  }

  function change(): Promise<void> {
    return new Promise((resolve) => wake.push(resolve));
  }

  /** Further rows wait for what the first ones show: their price depends on it. */
  async function awaitEvidence(tokens: number): Promise<void> {
    await lane.flush();
    const untilMs = context.monotonicMs() + EVIDENCE_WAIT_MS;
    while (options.waitsForEvidence === true && carrier.mustWait(tokens) && fault === null && !recalled.signal.aborted) {
      const leftMs = untilMs - context.monotonicMs();
      if (leftMs <= 0) break;
      context.waits.begin({
        name: EVIDENCE,
        milliseconds: leftMs,
        describe: ({ since }) =>
          `waiting since ${since}: the other rows wait for the first batch, which shows whether batches take prompt_cache; for half an hour at most`,
      });
      await sleepUntil(context, leftMs, change());
    }
    context.waits.end(EVIDENCE);
    if (carrier.mustWait(tokens)) carrier.giveUp();
    throwFault();
  }

  async function sendShard(name: string, { url, model, writer }: Filling): Promise<void> {
    while (countUnsent() >= MAX_UNSENT_SHARDS) {
      throwFault();
      await change();
    }
    throwFault();
    // The limit was learned while this shard filled up: its rows are cut again.
    const isTooLarge = writer.rows > 1 && writer.tokens > queues.of(model).cutSize.maxTokens;
    if (isTooLarge || recalled.signal.aborted) {
      hasGivenBack = true;
      return lane.abandon();
    }
    const probe = carrier.takeProbe();
    const terms = options.readTerms === undefined ? {} : { terms: options.readTerms() };
    await writer.finish({ model, url, ...(probe.length === 0 ? {} : { probe }), ...terms });
    beginShard(writer.shard, false);
    filling.delete(name);
  }

  const countUnsent = () =>
    [...underWay.values()].filter(({ view }) => view.phase === 'uploading' || view.phase === 'waiting' || view.phase === 'creating').length;

  const lane: BatchLane = {
    async resume() {
      for (const shard of ledger.fold.shards.values()) {
        if (shard.status !== 'collected' && shard.status !== 'retired' && !underWay.has(shard.id)) beginShard(shard.id, true);
      }
      await beginReturned();
      watchVanished();
    },
    async add(request, tokens) {
      throwFault();
      if (carrier.mustWait(tokens)) await awaitEvidence(tokens);
      const dressed = { url: request.url, body: carrier.dress(request, tokens) };
      const line = makeRequestLine({ ...request, body: context.provider.deliver(dressed) });
      const bytes = options.countsBytes === true ? Buffer.byteLength(line) + 1 : (line.length + 1) * MAX_BYTES_PER_CHARACTER;
      const { url, model = options.model } = request;
      const name = `${url} ${model}`;
      const { cutSize } = queues.of(model);
      const open = filling.get(name);
      if (
        open !== undefined &&
        (open.writer.rows >= cutSize.maxRequests ||
          open.writer.bytes + bytes > cutSize.maxBytes ||
          open.writer.tokens + tokens > cutSize.maxTokens)
      ) {
        await sendShard(name, open);
      }
      const { writer, gathered } = filling.get(name) ?? { writer: ledger.createShardWriter(ledger.nextShardId()), gathered: NOTHING };
      filling.set(name, { url, model, writer, gathered: addTo(gathered, bytes, countAnswerCaps(request.customId)) });
      await writer.add(line, request.customId, tokens);
    },
    async flush() {
      for (const [name, open] of filling) await sendShard(name, open);
    },
    async abandon() {
      for (const { writer } of filling.values()) await writer.abandon();
      filling.clear();
      carrier.takeProbe();
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
      return [...filling.values()].reduce((sum, { gathered }) => addTo(sum, gathered.bytes, gathered.answerCaps, gathered.rows), NOTHING);
    },
    get admission() {
      return queues.tokens;
    },
    async drain() {
      do {
        await endWatch();
        await Promise.all([...underWay.values()].map(({ promise }) => promise));
      } while (underWay.size > 0 || watch !== null);
    },
  };
  return lane;
}
