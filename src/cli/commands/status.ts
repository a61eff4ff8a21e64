import { setTimeout as delay } from 'node:timers/promises';
import { AppError, EXIT, UsageError } from '../../core/errors.ts';
import { findJobFilesWithState } from '../../inspect/find-jobs.ts';
import { createStatusLook, type Status } from '../../inspect/status.ts';
import type { JobFlags } from '../flags.ts';
import { makeReadOptions } from '../read-options.ts';
import { renderStatus } from '../render/render-status.ts';
import { hasColour, print, printJson, say } from '../say.ts';

const WATCH_MS = 2000;
/** A look that took long is rested from: it takes a tenth of the time at most. */
const REST_FACTOR = 10;

type Look = () => Promise<Status>;

/** `rowmill status`: how a job stands, or every job below the working directory; with --watch again and again until interrupted. */
export async function status(jobFile: string | undefined, flags: JobFlags & { readonly watch?: boolean }): Promise<number> {
  const jobFiles = jobFile === undefined ? findJobs(flags) : [jobFile];
  const looks = jobFiles.map((file) => createStatusLook(makeReadOptions(file, flags)));
  if (flags.watch === true) return watch(looks);
  const all = await readAll(looks, jobFile === undefined);
  if (flags.json !== true) print(renderAll(all));
  else if (jobFile === undefined) printJson({ schema: 'rowmill.status/1', jobs: all });
  else printJson(all[0]);
  return EXIT.done;
}

function findJobs(flags: JobFlags): readonly string[] {
  const jobFiles = findJobFilesWithState(process.cwd(), flags.stateDir ?? null);
  if (jobFiles.length > 0) return jobFiles;
  throw new UsageError('no job below this directory has been run; name a job file: rowmill status jobs/my-job.yaml');
}

/** @param isTolerant what is wrong with one job is said, and the others are shown */
async function readAll(looks: readonly Look[], isTolerant: boolean): Promise<readonly Status[]> {
  const all: Status[] = [];
  for (const look of looks) {
    try {
      all.push(await look());
    } catch (error) {
      if (!isTolerant || !(error instanceof AppError)) throw error;
      say(error.message);
    }
  }
  return all;
}

function renderAll(all: readonly Status[]): string {
  const look = { now: new Date(), colour: hasColour(process.stdout) };
  return all.map((one) => renderStatus(one, look)).join('\n\n');
}

async function watch(looks: readonly Look[]): Promise<never> {
  const isTerminal = process.stdout.isTTY === true;
  for (;;) {
    const begunMs = performance.now();
    const text = renderAll(await readAll(looks, true));
    // From the top of an empty screen: lines may wrap, so they cannot be counted and taken back.
    print(isTerminal ? `\u001b[H\u001b[2J${text}` : `${text}\n`);
    await delay(Math.max(WATCH_MS, (performance.now() - begunMs) * REST_FACTOR));
  }
}
