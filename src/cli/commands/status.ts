import { relative } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AppError, EXIT } from '../../core/errors.ts';
import { createStatusLook, type Status } from '../../inspect/status.ts';
import { findAsked } from '../find-jobs.ts';
import { readShownNotices, sayShown } from '../notices/say-notices.ts';
import type { JobFlags } from '../options/flags.ts';
import { makeReadOptions } from '../read-options.ts';
import { renderStatus } from '../render/render-status.ts';
import { type ListedJob, renderStatusList } from '../render/render-status-list.ts';
import { hasColour, paintFor, print, printJson, say } from '../say.ts';

const WATCH_MS = 2000;

/** A job that is read repeatedly. */
interface Look {
  readonly file: string;
  readonly look: () => Promise<Status>;
}

/** `rowmill status`: the state of a job, or one line for every job below a folder; with --watch repeatedly until interrupted. */
export async function status(argument: string | undefined, flags: JobFlags & { readonly watch?: boolean }): Promise<number> {
  const { jobs, isList } = await findAsked('status', argument, flags);
  const looks = jobs.map(
    (file): Look => ({ file: relative(process.cwd(), file) || file, look: createStatusLook(makeReadOptions(file, flags)) }),
  );
  if (flags.watch === true) return watch(looks, isList);
  const all = await readAll(looks, isList);
  const notices = isList || argument === undefined ? [] : await readShownNotices(makeReadOptions(argument, flags), flags);
  if (flags.json !== true) {
    print(renderAll(all, isList));
    sayShown(notices);
  } else if (isList) printJson({ schema: 'rowmill.status/1', jobs: all.map(({ file, status }) => ({ file, ...status })) });
  else printJson(notices.length === 0 ? all[0]?.status : { ...all[0]?.status, notices });
  return EXIT.done;
}

/** @param isTolerant a job with a problem is reported, and the others are shown */
async function readAll(looks: readonly Look[], isTolerant: boolean): Promise<readonly ListedJob[]> {
  const all: ListedJob[] = [];
  for (const { file, look } of looks) {
    try {
      all.push({ file, status: await look() });
    } catch (error) {
      if (!isTolerant || !(error instanceof AppError)) throw error;
      say(error.message);
    }
  }
  return all;
}

/** Everything about one job, or a line about each. */
function renderAll(all: readonly ListedJob[], isList: boolean): string {
  if (isList) return renderStatusList(all, new Date(), paintFor(process.stdout));
  return all.map(({ status }) => renderStatus(status, { now: new Date(), colour: hasColour(process.stdout) })).join('\n\n');
}

async function watch(looks: readonly Look[], isList: boolean): Promise<never> {
  const isTerminal = process.stdout.isTTY === true;
  for (;;) {
    const text = renderAll(await readAll(looks, true), isList);
    // From the top of an empty screen: lines may wrap, so they cannot be counted and erased.
    print(isTerminal ? `\u001b[H\u001b[2J${text}` : `${text}\n`);
    await delay(WATCH_MS);
  }
}
