import type { Job, NoticeEvent } from '../../core/job.ts';
import { listRefusals } from '../../host/notices/notice-records.ts';
import { readStateEvents } from '../../inspect/last-run.ts';
import { makeNotices, type Notice } from '../../inspect/notices/make-notices.ts';
import { findState, type ReadOptions } from '../../inspect/open-state.ts';
import { openRunFiles } from '../../ledger/runs.ts';
import type { JobFlags } from '../options/flags.ts';
import { flagsOfState } from '../read-options.ts';
import { showCommand, showContinueCommand } from '../run-options.ts';

/** A notice as `status --json` has it. */
export interface ShownNotice {
  readonly event: NoticeEvent;
  readonly sentence: string;
  readonly command: string | null;
}

/** The sentences that the webhook of a job is sent, except `done`. */
export async function listNotices({ name, notify }: Job, options: ReadOptions, flags: JobFlags): Promise<readonly ShownNotice[]> {
  const found = await findState({ ...options, leaveOut: () => {} });
  const { state } = found;
  const fold = await readStateEvents(state, options.signal);
  const runFiles = openRunFiles(state.directory, options.effects.randomId);
  const made = makeNotices({ job: name, fold, runFiles, now: options.effects.clock() });
  const refusals = listRefusals(state.directory, fold.activeAt).map(
    ({ sentence }): Pick<Notice, 'event' | 'sentence' | 'next'> => ({ event: 'stopped', sentence, next: 'continue' }),
  );
  const chosen = flagsOfState(flags, { origin: state.origin, baseUrl: found.lastRun?.paths.baseUrl ?? null });
  const show = (next: NonNullable<Notice['next']>) =>
    next === 'continue' ? showContinueCommand(options.jobFile, chosen, found) : showCommand(next, options.jobFile, chosen);
  return [...made, ...refusals]
    .filter(({ event }) => event !== 'done' && notify?.on.includes(event))
    .map(({ event, sentence, next }) => ({
      event,
      sentence,
      command: next === null ? null : show(next),
    }));
}
