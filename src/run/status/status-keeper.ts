import { showModels } from '../../core/models/split-by-model.ts';
import { mayReadImageFiles } from '../../input/request/compile-images.ts';
import { findHolder } from '../../ledger/disk/find-holder.ts';
import { keepPaths } from '../finish/fingerprint.ts';
import { findLastKept } from '../open/kept-summary.ts';
import { createStepOf } from '../open/next-step.ts';
import type { OpenedLedger } from '../open/open-job-ledger.ts';
import type { PreparedJob } from '../open/prepared-job.ts';
import type { KeyRow } from '../open/row-keys.ts';
import type { RunOptions } from '../options.ts';
import { markInputs } from './input-marks.ts';
import { markJob, markState, writeKeptStatus } from './kept-status.ts';
import { RowTally } from './row-tally.ts';
import { makeStatusFacts, type StatusFacts } from './status-facts.ts';

/** Records the job's status in the state directory, so that readers need not compute it. */
export interface StatusKeeper {
  /** Starts a pass over the whole table, from which rows are counted once it has ended. */
  startPass(): Promise<TallyPass>;
  /** Records it from now on, whenever it changes. */
  start(): void;
  /** Rows that have failed for good, as of a moment ago; 0 while the rows are unknown. */
  countFailed(): number;
  /** The rows' requests are no longer known. */
  forgetRows(): void;
  /** Stops, except for the last record. */
  stop(): Promise<void>;
  /** The last record: when nothing more is to be recorded. */
  leave(): Promise<void>;
}

export interface TallyPass {
  /** Called with the rows' requests. */
  readonly watchRows: (keyRow: KeyRow) => KeyRow;
  /** The pass has met all rows. */
  end(): Promise<void>;
}

export interface StatusKeeperOptions extends Pick<OpenedLedger, 'ledger' | 'books'> {
  readonly prepared: PreparedJob;
  readonly options: Pick<RunOptions, 'overrides' | 'target' | 'effects' | 'priceAsOf'>;
}

/** The result of a pass, and the files it read. */
interface Tallied {
  readonly rows: RowTally;
  readonly inputs: readonly string[];
}

const EVERY_MS = 1_000;
/** Counting takes at most a fiftieth of the time. */
const REST_FACTOR = 50;
/** A process silent for twice this long is not trusted. */
const MOST_MS = 4_000;

export function createStatusKeeper({ ledger, books, prepared, options }: StatusKeeperOptions): StatusKeeper {
  const { fold } = ledger;
  const { compiled, stateDirectory } = prepared;
  const { effects, overrides, priceAsOf } = options;
  const { job } = compiled;
  // Prices of another day are not those of `status`.
  const isTold = priceAsOf === null && ledger.altered.size === 0;
  // What code or images yield is unknown without running them.
  const mark = compiled.hasCode || mayReadImageFiles(job) ? null : markJob(job);
  const about = { model: showModels(job), mode: job.mode };
  let tallied: Tallied | null = null;
  let stopTimer: (() => void) | null = null;
  let saying: Promise<void> = Promise.resolve();
  let said: { readonly facts: StatusFacts; readonly life: unknown; readonly seq: number } | null = null;

  let failed = { rows: 0, dueMs: 0 };

  const readInputs = () => markInputs(job, { stateDirectory, cwd: overrides.cwd }).catch(() => null);

  async function findFacts({ rows }: Tallied, isLast: boolean): Promise<StatusFacts | null> {
    const { seq } = fold;
    const { life } = books;
    if (!isLast && said !== null && said.life === life && said.seq === seq) return said.facts;
    const last = fold.runs.at(-1);
    const kept = findLastKept(fold, ledger.runFiles, () => {});
    // Otherwise `status` refers to the table of an earlier run.
    if (fold.currentRun === null && kept?.summary.run !== last?.id) return null;
    const simulated = kept?.summary.simulated ?? last?.simulated ?? false;
    const stepOf = () => createStepOf(ledger, job, fold.currentRun === null ? 'reading' : 'working', { seesQueue: false });
    const facts = await makeStatusFacts({ prepared, ledger, books, simulated, clock: effects.clock }, () => ({
      rows: rows.count(stepOf()),
    }));
    // Bounds by the job's own mode are unknown here.
    if (overrides.mode != null && facts.possiblyBilled.length > 0) return null;
    said = { facts, life, seq };
    return facts;
  }

  async function say(isLast: boolean): Promise<void> {
    if (tallied === null || !isTold) return;
    // Once this process has left, calls without an end are lost: readers find that out themselves.
    if (isLast && fold.openCalls.size > 0) return;
    const { inputs } = tallied;
    const at = effects.clock().toISOString();
    const holder = findHolder(stateDirectory, effects.processIdentity)?.token ?? null;
    const facts = await findFacts(tallied, isLast);
    if (facts === null || holder === null) return;
    const state = isLast ? markState(stateDirectory) : null;
    const marks = { about, job: mark, prices: prepared.customPricesSha256, inputs, paths: keepPaths(options) };
    writeKeptStatus(stateDirectory, { at, holder, state, ...marks, facts }, effects.randomId());
  }

  async function sayAgain(): Promise<void> {
    const begunMs = effects.monotonicMs();
    // It is derived: whatever prevents writing it is reported by those who need the disk.
    await say(false).catch(() => {});
    if (stopTimer !== null) plan(Math.min(MOST_MS, Math.max(EVERY_MS, (effects.monotonicMs() - begunMs) * REST_FACTOR)));
  }

  function plan(afterMs: number): void {
    stopTimer = effects.startTimer(afterMs, () => {
      saying = sayAgain();
    });
  }

  return {
    async startPass() {
      const startedMs = effects.clock().getTime();
      const before = await readInputs();
      const rows = new RowTally();
      return {
        watchRows: (keyRow) => (row) => {
          const keyed = keyRow(row);
          rows.add(keyed);
          return keyed;
        },
        async end() {
          const after = await readInputs();
          const isSame = before !== null && before.tellsFromMs < startedMs && JSON.stringify(before) === JSON.stringify(after);
          tallied = isSame ? { rows, inputs: before.marks } : null;
          said = null;
        },
      };
    },
    start() {
      plan(0);
    },
    countFailed() {
      const begunMs = effects.monotonicMs();
      if (tallied === null || begunMs < failed.dueMs) return failed.rows;
      const { failed: rows } = tallied.rows.count(createStepOf(ledger, job, 'working'));
      const tookMs = effects.monotonicMs() - begunMs;
      failed = { rows, dueMs: begunMs + Math.max(EVERY_MS, tookMs * REST_FACTOR) };
      return rows;
    },
    forgetRows() {
      tallied = null;
    },
    async stop() {
      stopTimer?.();
      stopTimer = null;
      await saying;
    },
    leave: () => say(true).catch(() => {}),
  };
}
