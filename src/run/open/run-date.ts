import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { nameDay } from '../../core/day.ts';
import type { DatedPath } from '../../core/job.ts';
import { putDate } from '../../input/job/dated-path.ts';
import type { LoadedJob } from '../../input/job/load-job.ts';
import { readEvents } from '../../ledger/events/event-log.ts';
import type { LedgerFold } from '../../ledger/events/fold.ts';
import { createFold } from '../../ledger/events/fold-events.ts';

/**
 * The day in a table's name: that of the open run, whenever it is continued, else of the run that would start now. For read-only commands, that of
 * the last run.
 */
export function findRunDate(
  { timezone }: Pick<DatedPath, 'timezone'>,
  { currentRun, runs }: Pick<LedgerFold, 'currentRun' | 'runs'>,
  { now, isToWrite }: { readonly now: Date; readonly isToWrite: boolean },
): string {
  const run = currentRun ?? (isToWrite ? undefined : runs.at(-1));
  if (run === undefined) return nameDay(now, timezone);
  return run.date ?? nameDay(new Date(run.startedAt), timezone);
}

/** The job with the path of one day, from the events of its state directory. */
export async function placeDatedTable(
  loaded: LoadedJob,
  stateDirectory: string,
  when: { readonly now: Date; readonly isToWrite: boolean; readonly signal: AbortSignal },
): Promise<LoadedJob> {
  const { dated } = loaded.job.write;
  if (dated === undefined) return loaded;
  const { fold, apply } = createFold();
  const file = join(stateDirectory, 'events.jsonl');
  if (existsSync(file)) await readEvents(file, ({ event }) => apply(event), when.signal);
  const date = findRunDate(dated, fold, when);
  const write = { ...loaded.job.write, path: putDate(dated.template, date), dated: { ...dated, date } };
  return { ...loaded, job: { ...loaded.job, write } };
}
