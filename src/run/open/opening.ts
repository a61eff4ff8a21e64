import type { Job } from '../../core/job.ts';
import type { ShardStatus } from '../../ledger/events/fold.ts';
import { type Ledger, LIVE_QUEUE } from '../../ledger/ledger.ts';
import { formatShard, isBeforeCreate } from '../../ledger/ledger-state.ts';
import { createStepOf, isOfRun, type StepOf } from './next-step.ts';

/** Failed rows to retry. */
export interface Reopen {
  /** Causes; null for all. */
  readonly causes: ReadonlySet<string> | null;
  /** Parameters that override the job's; empty for none. */
  readonly set: ParamSet;
  /** Whether there is no run without something to send, as for `retry`; absent: it may write its table again. */
  readonly mustSend?: boolean;
}

/** Parameters over those of the job, from `retry --set`. */
export type ParamSet = Readonly<Record<string, unknown>>;

/** What a run is asked to send again. */
export interface AskedAgain {
  /** Every row. */
  readonly isFresh: boolean;
  /** Failed rows; null for none. */
  readonly reopen: Reopen | null;
}

/** The state of keys, by their ids: as in the ledger, or as it will be once a run has started. */
export interface KeyView {
  readonly stepOf: StepOf;
  /** Whether the key has a valid answer. */
  readonly isAnswered: (id: number) => boolean;
  /** Whether the open run made its latest attempt. */
  readonly isOfOpenRun: (id: number) => boolean;
  /** Whether `retry` reopened it and no result has arrived since. */
  readonly isReopened: (id: number) => boolean;
  /** The highest re-ask seen, the `n` of `-r<n>`. */
  readonly reasks: (id: number) => number;
  /** Its parameters from `retry --set`; undefined if there are none. */
  readonly setOf: (id: number, key: string) => ParamSet | undefined;
  /** Whether it is in a shard that has not left yet: the next run sends it. */
  readonly isUnsent: (id: number) => boolean;
}

/** What a run changes in the ledger before it looks for due rows, computed before anything is changed. */
export interface Opening {
  /** Whether a new generation starts. */
  readonly isFresh: boolean;
  /** Whether this key is reopened. */
  readonly opens: (id: number) => boolean;
  /** The parameters of reopened keys. */
  readonly set: ParamSet;
  /** `RunState.causes`, if a run starts; null for all. */
  readonly causes: readonly string[] | null;
  /** The state of keys after that. */
  readonly view: KeyView;
}

/** Before the first run. */
export const FIRST_OPENING: Opening = {
  isFresh: false,
  opens: () => false,
  set: {},
  causes: null,
  view: {
    stepOf: () => 'new',
    isAnswered: () => false,
    isOfOpenRun: () => false,
    isReopened: () => false,
    reasks: () => 0,
    setOf: () => undefined,
    isUnsent: () => false,
  },
};

/** A request in such a shard was never at the provider. */
const UNSENT: ReadonlySet<ShardStatus> = new Set(['written', 'uploading', 'uploaded']);

/** The state of keys for a running run. */
export function viewKeys(ledger: Ledger, job: Job, nextCauses: Opening['causes'] = null): KeyView {
  const { keys, fold } = ledger;
  return {
    stepOf: createStepOf(ledger, job, 'working', { nextCauses }),
    isAnswered: (id) => keys.outcome(id) === 'ok',
    isOfOpenRun: (id) => fold.currentRun !== null && isOfRun(ledger, id, fold.currentRun.id),
    isReopened: (id) => keys.isReopened(id),
    reasks: (id) => keys.reasks(id),
    setOf: (_, key) => fold.retrySets.get(key),
    isUnsent: (id) => UNSENT.has(shardStatusOf(ledger, id) ?? 'retired'),
  };
}

/** What a run with these options will change, and the state of keys after it. Nothing is changed here; a run that is already open and fresh continues. */
export function foreseeOpening(ledger: Ledger, job: Job, { isFresh, reopen }: AskedAgain): Opening {
  const { keys, fold } = ledger;
  const causes = reopen?.causes == null ? null : [...reopen.causes];
  const view = viewKeys(ledger, job, causes);
  if (isFresh && (fold.currentRun === null || fold.generationRun !== fold.currentRun.id)) {
    const isKept = (id: number) => isBeforeCreate(shardStatusOf(ledger, id));
    return { ...FIRST_OPENING, isFresh: true, view: viewFresh(view, { isKept, isKnown: (id) => keys.outcome(id) !== null }) };
  }
  if (reopen === null) return { ...FIRST_OPENING, view };
  const { set } = reopen;
  const readStep = createStepOf(ledger, job, 'reading');
  const opens = (id: number) => readStep(id) === 'failed' && (causes === null || causes.includes(keys.outcome(id) ?? ''));
  const newSet = Object.keys(set).length > 0 ? set : undefined;
  return {
    isFresh: false,
    opens,
    set,
    causes,
    view: {
      ...view,
      stepOf: (id) => (opens(id) ? 'again' : view.stepOf(id)),
      isReopened: (id) => opens(id) || view.isReopened(id),
      setOf: (id, key) => (opens(id) ? newSet : view.setOf(id, key)),
    },
  };
}

/** In a new generation nothing is answered; requests in a shard without a successful create stay in it. */
function viewFresh(
  view: KeyView,
  { isKept, isKnown }: { readonly isKept: (id: number) => boolean; readonly isKnown: (id: number) => boolean },
): KeyView {
  return {
    ...FIRST_OPENING.view,
    stepOf: (id) => (isKept(id) ? 'in-flight' : isKnown(id) ? 'again' : 'new'),
    isUnsent: view.isUnsent,
  };
}

/** Whether the request of a key is in a batch, or may be. */
export function isInBatch(ledger: Ledger, id: number): boolean {
  const number = ledger.keys.shard(id);
  return number !== 0 && number !== LIVE_QUEUE && !UNSENT.has(shardStatusOf(ledger, id) ?? 'retired');
}

function shardStatusOf({ keys, fold }: Ledger, id: number): ShardStatus | undefined {
  const number = keys.shard(id);
  return number === 0 ? undefined : fold.shards.get(formatShard(number))?.status;
}
