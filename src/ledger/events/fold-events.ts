import { SIMULATOR, type StoredEvent } from '../../core/event.ts';
import { countAnswerCaps } from '../../core/request.ts';
import { type BatchState, type LedgerFold, makeCacheOptionKey, type RunState, type ShardState } from './fold.ts';
import {
  accountForAbsent,
  closeCall,
  type MutableDoubts,
  openCalls,
  takeAbsent,
  takeMissing,
  takeReturned,
  takeUnknownCalls,
} from './fold-doubts.ts';
import { endRun, markSimulated, reviseEstimate, trackActivity } from './fold-runs.ts';
import { inForce, makeBatch } from './make-batch.ts';
import type { ShardTransition } from './shard-transitions.ts';
import { SHARD_TRANSITIONS } from './shard-transitions.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

interface MutableFold extends Mutable<Omit<LedgerFold, keyof MutableDoubts>>, MutableDoubts {
  readonly shards: Map<string, ShardState>;
  readonly imported: Map<string, string>;
  readonly learnedLimits: Map<string, number>;
  readonly cacheOptions: Map<string, boolean>;
  readonly learnedRequestLimits: Map<string, number>;
  readonly learnedForms: Map<string, ReadonlyMap<string, string>>;
  readonly runs: RunState[];
  readonly epochRuns: string[];
  readonly retrySets: Map<string, Readonly<Record<string, unknown>>>;
}

/** A fold and the only way to change it. */
export interface FoldInProgress {
  readonly fold: LedgerFold;
  /** Applies the next event. Events that name an unknown shard or batch change nothing there. */
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
    seq: 0,
    shards: new Map(),
    batches: new Map(),
    imported: new Map(),
    learnedLimits: new Map(),
    cacheOptions: new Map(),
    learnedRequestLimits: new Map(),
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
    absentCreates: new Map(),
    openCalls: new Map(),
    queuedCalls: new Map(),
    unknownCalls: new Map(),
    unknownCallsOfMonths: new Map(),
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
  fold.seq = event.seq;
  switch (event.type) {
    case 'state-created':
      fold.state = event.state;
      fold.format = event.format;
      fold.origin = event.origin;
      return;
    case 'state-adopted':
      fold.state = event.state;
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
        simulated: event.simulated || isSimulatorKnown(fold),
        lane: event.lane ?? null,
        ...(event.date === undefined ? {} : { date: event.date }),
        ...(event.selection === undefined ? {} : { selection: event.selection }),
        ...(event.causes === undefined ? {} : { causes: event.causes }),
        ...(event.command === undefined ? {} : { command: event.command }),
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
    case 'cache-option-learned':
      fold.cacheOptions.set(makeCacheOptionKey(event.lane, event.model), event.isTaken);
      return;
    case 'limit-learned':
      fold.learnedLimits.set(event.model, event.enqueuedTokens);
      return;
    case 'request-limit-learned':
      fold.learnedRequestLimits.set(event.model, event.enqueuedRequests);
      return;
    case 'address-learned':
      fold.learnedForms.set(event.baseUrl, new Map([...(fold.learnedForms.get(event.baseUrl) ?? []), [event.name, event.form]]));
      if (isSimulatorKnown(fold)) markSimulated(fold);
      return;
    case 'shard-written':
      fold.shards.set(event.shard, {
        id: event.shard,
        number: Number(event.shard),
        rows: event.rows,
        bytes: event.bytes,
        longestBytes: event.longestBytes ?? event.bytes,
        tokens: event.tokens,
        terms: event.terms ?? null,
        probe: event.probe ?? [],
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
        createState: null,
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
        createState: fold.state,
        fileId: event.fileId,
        keyFingerprint: event.keyFingerprint,
        refusedCode: null,
      });
      return;
    case 'create-unknown':
    case 'create-absent':
      moveShard(fold, event.shard, event.type);
      if (event.type === 'create-absent') takeAbsent(fold, event);
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
      accountForAbsent(fold, event);
      const known = fold.batches.get(event.batchId);
      if (known !== undefined) fold.batches.set(event.batchId, { ...known, isExtra: true });
      else {
        const shard = event.shard === null ? undefined : fold.shards.get(event.shard);
        fold.batches.set(event.batchId, makeBatch(fold, event.batchId, shard, { isExtra: true, adopted: false, at: event.at }));
      }
      return;
    }
    case 'batch-returned':
      takeReturned(fold, event);
      return;
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
    case 'files-removed':
    case 'answers-removed':
      return;
    case 'batch-imported':
      // Its cost was not spent by a run here.
      fold.batches.set(event.batchId, {
        ...makeBatch(fold, event.batchId, undefined, { isExtra: false, adopted: false, at: event.at }),
        ...{ status: 'imported', isCollected: true, run: '', attemptEpoch: 0 },
      });
      for (const source of event.sources) fold.imported.set(source, event.batchId);
      return;
    case 'call-intent':
      openCalls(fold.openCalls, event);
      return;
    case 'call-queued':
      openCalls(fold.queuedCalls, event);
      return;
    case 'call-refused':
      for (const { customId } of event.refusals) closeCall(fold, customId);
      return;
    case 'call-unknown':
      takeUnknownCalls(fold, inForce(fold).run, event);
      return;
    case 'batch-collected': {
      const batch = fold.batches.get(event.batchId);
      changeBatch(fold, event.batchId, { status: event.status, isCollected: true, usage: event.usage });
      takeMissing(fold, event);
      // A batch that reappeared no longer has a shard that could be sent again.
      if (batch === undefined || batch.shard === null || batch.isExtra || batch.hasReturned) return;
      if (event.status === 'failed') refuseCreate(fold, batch.shard, 'batch-failed', event.status);
      else moveShard(fold, batch.shard, event.type);
      return;
    }
    default:
      event satisfies never;
  }
}

/** A directory has one origin: once a simulator has answered there, all of it counts as simulated, until a run records another origin. */
function isSimulatorKnown({ learnedForms }: MutableFold): boolean {
  return [...learnedForms.values()].some((forms) => forms.get(SIMULATOR.name) === SIMULATOR.form);
}

function startAttemptEpoch(fold: MutableFold, run: string): void {
  fold.attemptEpoch += 1;
  fold.epochRuns[fold.attemptEpoch] = run;
}

/** A create that was refused, at once or by a batch that failed as a whole: the shard can be sent again as it is, and that batch has no results. */
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
