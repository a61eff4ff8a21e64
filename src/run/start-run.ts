import { isDeepStrictEqual } from 'node:util';
import type { LaneName } from '../core/lane.ts';
import type { RowSelection } from '../core/row.ts';
import type { RunCommand } from '../core/run-command.ts';
import type { RunState } from '../ledger/events/fold.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { RunFiles } from '../ledger/runs.ts';
import type { Effects } from './open/effects.ts';
import { INVOCATION_FILE, type KeptInvocation, readContinuedSelection, SELECTION_FILE } from './open/kept-summary.ts';
import type { PlannedRun } from './plan/plan-open-job.ts';

export interface StartOptions {
  readonly job: string;
  /** The day in the name of its table; null or absent if there is none. */
  readonly date?: string | null;
  /** Which rows it is about; absent for all. */
  readonly selection?: RowSelection;
  /** What continues it. */
  readonly command: RunCommand;
  readonly isSimulated: boolean;
  /** Where requests go at first. */
  readonly lane: LaneName;
  /** What the run reopens; nothing of it was done yet. */
  readonly planned: Pick<PlannedRun, 'opening' | 'reopenedKeys'>;
  /** For everything the run does, including what an open one has already done; null if a price is unknown. */
  readonly estimateNanoUsd: number | null;
  readonly effects: Pick<Effects, 'clock' | 'randomId'>;
}

/**
 * Continues the open run under its id, or starts a new one, and applies the plan: a new generation, or reopened rows.
 * @returns the run's id
 */
export async function startRun(ledger: Ledger, options: StartOptions): Promise<string> {
  const { fold } = ledger;
  const { estimateNanoUsd, lane, planned } = options;
  const { opening, reopenedKeys } = planned;
  if (fold.currentRun === null) {
    await ledger.append({
      type: 'run-started',
      run: makeRunId(options.effects.clock(), options.effects.randomId()),
      job: options.job,
      simulated: options.isSimulated,
      lane,
      ...(options.date == null ? {} : { date: options.date }),
      ...(options.selection === undefined || options.selection.type === 'all' ? {} : { selection: options.selection }),
      ...(opening.causes === null ? {} : { causes: opening.causes }),
      command: options.command,
      estimateNanoUsd,
    });
  } else keepInvocation(ledger.runFiles, fold.currentRun, options);
  const run = fold.currentRun?.id;
  if (run === undefined) throw new Error('the run that was just started is not open');
  if (opening.isFresh) await ledger.append({ type: 'generation-started', generation: fold.generation + 1, estimateNanoUsd });
  if (reopenedKeys.length > 0) await ledger.append({ type: 'retry-opened', keys: reopenedKeys, set: opening.set, estimateNanoUsd });
  return run;
}

/** Stores what an invocation that continues a run was asked: it may be killed before it has a summary. */
function keepInvocation(runFiles: RunFiles, run: RunState, { selection, command, effects }: StartOptions): void {
  if (selection !== undefined) keepSelection(runFiles, run, selection);
  const invocation: KeptInvocation = { at: effects.clock().toISOString(), command };
  runFiles.writeRunFile(run.id, INVOCATION_FILE, JSON.stringify(invocation));
}

function keepSelection(runFiles: RunFiles, { id, selection: first = { type: 'all' } }: RunState, selection: RowSelection): void {
  const before = readContinuedSelection(runFiles, id) ?? first;
  if (!isDeepStrictEqual(before, selection)) runFiles.writeRunFile(id, SELECTION_FILE, JSON.stringify(selection));
}

/** `20261122-0405-k3x9d02mqa`: sorts by time, and distinguishes two runs of the same minute. */
function makeRunId(now: Date, randomId: string): string {
  const [day, time] = now.toISOString().split('T') as [string, string];
  return `${day.replaceAll('-', '')}-${time.slice(0, 5).replace(':', '')}-${randomId}`;
}
