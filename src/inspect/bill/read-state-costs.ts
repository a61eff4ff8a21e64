import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { Job } from '../../core/job.ts';
import type { LaneName } from '../../core/settled.ts';
import type { LedgerFold } from '../../ledger/events/fold.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { SIMULATOR_ORIGIN } from '../../ledger/origin.ts';
import { whenAnnounced } from '../../ledger/response-file.ts';
import { openRunFiles } from '../../ledger/runs.ts';
import { formatThings } from '../../output/format-numbers.ts';
import type { FoundDirectory } from '../find-states.ts';
import { findSimulatedRuns } from '../simulated-runs.ts';
import { openStateMoney, type StateMoneyOptions } from '../state-money.ts';
import { addCosts, addRecord, type Costs, isEmpty, NO_COSTS } from './costs.ts';

/** The cost of one model for a job in one lane on one day. */
export interface DayCosts extends Costs {
  /** As reported, without its snapshot date; `unknown` if there is no report. */
  readonly model: string;
  readonly lane: LaneName;
  /** UTC, when the call or batch was announced. */
  readonly day: string;
  /** Whether no real model gave the answers, and nothing was paid. */
  readonly simulated: boolean;
}

/** The totals of a state directory's ledger. */
export interface StateCosts {
  /** The directory's own id, which identifies copies. */
  readonly state: string;
  /** The provider of its answers. */
  readonly origin: string;
  readonly seq: number;
  readonly days: readonly DayCosts[];
  /** The job of its last run that stored one; null if none can be read. */
  readonly job: Job | null;
  /** Notes on it. */
  readonly notes: readonly string[];
}

const SNAPSHOT = /-\d{4}-\d\d-\d\d$/;

/**
 * Adds up a ledger, record by record, without its job file, its table and its answers.
 * @throws LedgerError, NewerFormatError, DiskError if it cannot be read
 */
export async function readStateCosts(found: FoundDirectory, options: StateMoneyOptions): Promise<StateCosts> {
  const { directory } = found;
  const { fold, job, books, count } = await openStateMoney(found, options);
  const simulated = findSimulatedRuns(
    fold,
    openRunFiles(directory, () => ''),
  );
  const ownRuns = new Set(fold.runs.map(({ id }) => id));
  const days = new Map<string, Mutable<DayCosts>>();

  function find(model: string, lane: LaneName, at: string, run: string): Mutable<DayCosts> {
    const about = {
      model,
      lane,
      day: at.slice(0, 10),
      simulated: ownRuns.has(run) ? simulated.has(run) : fold.origin === SIMULATOR_ORIGIN,
    };
    const key = JSON.stringify(about);
    const known = days.get(key) ?? { ...about, ...NO_COSTS };
    days.set(key, known);
    return known;
  }

  const { ledger, findPossiblyBilled } = await count((record, file, call) => {
    const model = record.model?.replace(SNAPSHOT, '') ?? job?.model ?? 'unknown';
    addRecord(find(model, record.lane, whenAnnounced(file, call), record.run), record, books.costOf(record), file.isExtra);
  });
  try {
    for (const { id, startedAt } of ledger.fold.runs) {
      const { items } = await findPossiblyBilled(id);
      for (const item of items) {
        const lane = item.why === 'lost_calls' ? 'live' : 'batch';
        addCosts(find(job?.model ?? 'unknown', lane, whenSent(ledger, item.id) ?? startedAt, id), {
          ...NO_COSTS,
          possiblyBilledCalls: item.calls,
          possiblyBilledNanoUsd: item.nanoUsd ?? 0,
          possiblyBilledUnpriced: item.nanoUsd === null ? item.calls : 0,
        });
      }
    }
  } finally {
    await ledger.close();
  }
  const { state, seq } = ledger.fold;
  return {
    state,
    origin: fold.origin,
    seq,
    days: [...days.values()].filter((costs) => !isEmpty(costs)),
    job,
    notes: [...findCut(directory), ...describeUnderWay(found.job, ledger.fold)],
  };
}

type Mutable<T> = { -readonly [Field in keyof T]: T[Field] };

/** @param id of a batch or a shard */
function whenSent({ fold }: Ledger, id: string | null): string | null {
  return fold.batches.get(id ?? '')?.announcedAt ?? fold.shards.get(id ?? '')?.createIntentAt ?? null;
}

/** Batches whose answers are not here yet: nothing of them is in any sum. */
function describeUnderWay(job: string, { batches, shards }: LedgerFold): readonly string[] {
  const open = [...batches.values()].filter(({ isCollected, status }) => !isCollected && status !== 'lost' && status !== 'failed');
  const requests = open.reduce((sum, { shard }) => sum + ((shard === null ? undefined : shards.get(shard)?.rows) ?? 0), 0);
  return requests === 0 ? [] : [`${job}: ${formatThings(requests, 'request')} at the provider, in no sum until the answers are collected`];
}

/** A log that ends in the middle of a line: the result of its last effect is not in any sum. */
function findCut(directory: string): readonly string[] {
  const file = join(directory, 'events.jsonl');
  const descriptor = openSync(file, 'r');
  try {
    const { size } = fstatSync(descriptor);
    const last = Buffer.alloc(1);
    if (size > 0) readSync(descriptor, last, 0, 1, size - 1);
    if (size === 0 || last[0] === 0x0a) return [];
    return [`${file}: ends in the middle of a line (a run is writing it, or was killed); everything before that is counted`];
  } finally {
    closeSync(descriptor);
  }
}
