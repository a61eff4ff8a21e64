import type { AnnouncedCall, StoredEvent } from '../../core/event.ts';
import { countAnswerCaps } from '../../core/request.ts';
import type { AnswerlessAttempts, BatchState, LedgerFold, OpenCall, RunState, ShardState, UnknownCalls } from './fold.ts';
import { endRun, reviseEstimate, trackActivity } from './fold-runs.ts';
import type { ShardTransition } from './shard-transitions.ts';
import { SHARD_TRANSITIONS } from './shard-transitions.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

interface MutableFold extends Mutable<LedgerFold> {
  readonly shards: Map<string, ShardState>;
  readonly batches: Map<string, BatchState>;
  readonly learnedLimits: Map<string, number>;
  readonly learnedForms: Map<string, ReadonlyMap<string, string>>;
  readonly runs: RunState[];
  readonly epochRuns: string[];
  readonly answerlessAttempts: Map<string, AnswerlessAttempts>;
  readonly openCalls: Map<string, OpenCall>;
  readonly queuedCalls: Map<string, OpenCall>;
  readonly unknownCalls: Map<string, UnknownCalls>;
  readonly retrySets: Map<string, Readonly<Record<string, unknown>>>;
}

/** A fold and the one way to change it. */
export interface FoldInProgress {
  readonly fold: LedgerFold;
  /** Takes the next event in. Events that name an unknown shard or batch change nothing there. */
  apply(event: StoredEvent): void;
  /** A line of a live response file is the end of one call. */
  closeCall(customId: string): void;
}

/** An empty fold. */
export function createFold(): FoldInProgress {
  const fold: MutableFold = {
    state: '',
    format: 0,
    origin: '',
    shards: new Map(),
    batches: new Map(),
    learnedLimits: new Map(),
    learnedForms: new Map(),
    runs: [],
    activeAt: '',
    currentRun: null,
    deadline: null,
    generation: 0,
    generationRun: null,
    attemptEpoch: 0,
    lastRetryEpoch: 0,
    epochRuns: [''],
    answerlessAttempts: new Map(),
    openCalls: new Map(),
    queuedCalls: new Map(),
    unknownCalls: new Map(),
    retrySets: new Map(),
  };
  const track = trackActivity(fold);
  const apply = (event: StoredEvent) => {
    track(event);
    applyEvent(fold, event);
  };
  return { fold, apply, closeCall: (customId) => closeCall(fold, customId) };
}

function applyEvent(fold: MutableFold, event: StoredEvent): void {
  switch (event.type) {
    case 'state-created':
      fold.state = event.state;
      fold.format = event.format;
      fold.origin = event.origin;
      return;
    case 'format-raised':
      fold.format = event.format;
      return;
    case 'run-started':
      fold.currentRun = {
        id: event.run,
        startedAt: event.at,
        endedAt: null,
        exitCode: null,
        simulated: event.simulated,
        lane: event.lane ?? null,
        estimateNanoUsd: event.estimateNanoUsd,
      };
      fold.runs.push(fold.currentRun);
      startAttemptEpoch(fold, event.run);
      return;
    case 'deadline-set':
      fold.deadline = { run: event.run, afterMs: event.afterMs, at: event.deadlineAt, switchedAt: null };
      return;
    case 'lane-switched':
      if (fold.deadline !== null) fold.deadline = { ...fold.deadline, switchedAt: event.at };
      return;
    case 'run-ended':
      endRun(fold, event);
      return;
    case 'generation-started':
      fold.generation = event.generation;
      fold.generationRun = fold.currentRun?.id ?? null;
      fold.retrySets.clear();
      reviseEstimate(fold, event.estimateNanoUsd);
      return;
    case 'retry-opened':
      startAttemptEpoch(fold, fold.currentRun?.id ?? fold.epochRuns.at(-1) ?? '');
      fold.lastRetryEpoch = fold.attemptEpoch;
      for (const key of event.keys) {
        if (Object.keys(event.set).length > 0) fold.retrySets.set(key, event.set);
        else fold.retrySets.delete(key);
      }
      reviseEstimate(fold, event.estimateNanoUsd);
      return;
    case 'limit-learned':
      fold.learnedLimits.set(event.model, event.enqueuedTokens);
      return;
    case 'address-learned':
      fold.learnedForms.set(event.baseUrl, new Map([...(fold.learnedForms.get(event.baseUrl) ?? []), [event.name, event.form]]));
      return;
    case 'shard-written':
      fold.shards.set(event.shard, {
        id: event.shard,
        number: Number(event.shard),
        rows: event.rows,
        bytes: event.bytes,
        longestBytes: event.longestBytes ?? event.bytes,
        tokens: event.tokens,
        answerCaps: event.customIds.reduce((sum, customId) => sum + countAnswerCaps(customId), 0),
        model: event.model,
        url: event.url,
        sha256: event.sha256,
        ...inForce(fold),
        status: SHARD_TRANSITIONS[event.type].to,
        uploadIntentAt: null,
        filename: null,
        fileId: null,
        createAttempt: 0,
        createIntentAt: null,
        batchId: null,
        keyFingerprint: null,
        refusedCode: null,
      });
      return;
    case 'shard-retired':
      moveShard(fold, event.shard, event.type);
      return;
    case 'upload-intent':
      moveShard(fold, event.shard, event.type, { uploadIntentAt: event.at, filename: event.filename, fileId: null });
      return;
    case 'upload-done':
      moveShard(fold, event.shard, event.type, { fileId: event.fileId });
      return;
    case 'create-intent':
      moveShard(fold, event.shard, event.type, {
        ...inForce(fold),
        createAttempt: event.attempt,
        createIntentAt: event.at,
        fileId: event.fileId,
        keyFingerprint: event.keyFingerprint,
        refusedCode: null,
      });
      return;
    case 'create-unknown':
    case 'create-absent':
      moveShard(fold, event.shard, event.type);
      return;
    case 'create-refused':
      refuseCreate(fold, event.shard, event.type, event.code);
      return;
    case 'create-done': {
      const shard = fold.shards.get(event.shard);
      moveShard(fold, event.shard, event.type, { batchId: event.batchId });
      fold.batches.set(
        event.batchId,
        makeBatch(fold, event.batchId, shard, { isExtra: false, adopted: event.how === 'adopted', at: event.at }),
      );
      return;
    }
    case 'batch-extra': {
      const known = fold.batches.get(event.batchId);
      if (known !== undefined) fold.batches.set(event.batchId, { ...known, isExtra: true });
      else {
        const shard = event.shard === null ? undefined : fold.shards.get(event.shard);
        fold.batches.set(event.batchId, makeBatch(fold, event.batchId, shard, { isExtra: true, adopted: false, at: event.at }));
      }
      return;
    }
    case 'batch-status':
      changeBatch(fold, event.batchId, { status: event.status });
      return;
    case 'cancel-intent':
      return;
    case 'cancel-done':
      changeBatch(fold, event.batchId, { status: event.status });
      return;
    case 'response-recorded':
    case 'live-recorded':
      return;
    case 'call-intent':
      for (const call of event.calls) openCall(fold.openCalls, call);
      return;
    case 'call-queued':
      for (const call of event.calls) openCall(fold.queuedCalls, call);
      return;
    case 'call-refused':
      for (const { customId } of event.refusals) closeCall(fold, customId);
      return;
    case 'call-unknown':
      for (const call of event.calls) closeCall(fold, call.customId);
      addUnknownCalls(fold, event.calls);
      return;
    case 'batch-collected': {
      const batch = fold.batches.get(event.batchId);
      changeBatch(fold, event.batchId, { status: event.status, isCollected: true, usage: event.usage, missing: event.missing.length });
      if (batch === undefined || batch.shard === null || batch.isExtra) return;
      const { rejected, unknown } = fold.answerlessAttempts.get(batch.run) ?? { rejected: 0, unknown: 0 };
      const lost = event.status === 'lost' ? event.missing.length : 0;
      fold.answerlessAttempts.set(batch.run, { rejected: rejected + event.rejected.length, unknown: unknown + lost });
      if (event.status === 'failed') refuseCreate(fold, batch.shard, 'batch-failed', event.status);
      else moveShard(fold, batch.shard, event.type);
      return;
    }
    default:
      event satisfies never;
  }
}

function openCall(calls: Map<string, OpenCall>, { customId, bodyBytes }: AnnouncedCall): void {
  calls.set(customId, { calls: (calls.get(customId)?.calls ?? 0) + 1, bodyBytes });
}

function closeCall(fold: MutableFold, customId: string): void {
  const calls = fold.openCalls.has(customId) ? fold.openCalls : fold.queuedCalls;
  const open = calls.get(customId);
  if (open === undefined || open.calls === 1) calls.delete(customId);
  else calls.set(customId, { ...open, calls: open.calls - 1 });
}

function addUnknownCalls(fold: MutableFold, calls: readonly AnnouncedCall[]): void {
  const { run } = inForce(fold);
  const known = fold.unknownCalls.get(run) ?? { calls: 0, bodyBytes: 0, answerCaps: 0 };
  const bodyBytes = calls.reduce((sum, call) => sum + call.bodyBytes, known.bodyBytes);
  const answerCaps = calls.reduce((sum, call) => sum + countAnswerCaps(call.customId), known.answerCaps);
  fold.unknownCalls.set(run, { calls: known.calls + calls.length, bodyBytes, answerCaps });
}

function startAttemptEpoch(fold: MutableFold, run: string): void {
  fold.attemptEpoch += 1;
  fold.epochRuns[fold.attemptEpoch] = run;
}

function inForce(fold: LedgerFold): { run: string; attemptEpoch: number; generation: number } {
  return { run: fold.epochRuns[fold.attemptEpoch] ?? '', attemptEpoch: fold.attemptEpoch, generation: fold.generation };
}

function makeBatch(
  fold: LedgerFold,
  id: string,
  shard: ShardState | undefined,
  how: { isExtra: boolean; adopted: boolean; at: string },
): BatchState {
  const { run, attemptEpoch, generation } = shard ?? inForce(fold);
  return {
    id,
    shard: shard?.id ?? null,
    status: 'validating',
    isExtra: how.isExtra,
    isCollected: false,
    usage: null,
    missing: 0,
    submittedAt: how.at,
    adopted: how.adopted,
    keyFingerprint: shard?.keyFingerprint ?? null,
    run,
    attemptEpoch,
    generation,
  };
}

/** A create refused, at once or by a batch that failed as a whole: the shard can be sent again as it is, and that batch has nothing to give. */
function refuseCreate(fold: MutableFold, id: string, how: 'create-refused' | 'batch-failed', code: string): void {
  const batchId = fold.shards.get(id)?.batchId ?? null;
  if (batchId !== null) changeBatch(fold, batchId, { isCollected: true });
  moveShard(fold, id, how, { batchId: null, refusedCode: code });
}

function moveShard(fold: MutableFold, id: string, transition: ShardTransition, change: Partial<ShardState> = {}): void {
  const shard = fold.shards.get(id);
  if (shard !== undefined) fold.shards.set(id, { ...shard, ...change, status: SHARD_TRANSITIONS[transition].to });
}

function changeBatch(fold: MutableFold, id: string, change: Partial<BatchState>): void {
  const batch = fold.batches.get(id);
  if (batch !== undefined) fold.batches.set(id, { ...batch, ...change });
}
