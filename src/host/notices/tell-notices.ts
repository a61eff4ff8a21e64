import { hash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AppError, EXIT, UsageError } from '../../core/errors.ts';
import type { Job } from '../../core/job.ts';
import type { Summary } from '../../core/summary.ts';
import { readStateEvents } from '../../inspect/last-run.ts';
import { leaveOutSaid } from '../../inspect/notices/leave-out-said.ts';
import { findUncollected, makeNotices, type Notice, type NoticeState } from '../../inspect/notices/make-notices.ts';
import { openRunFiles } from '../../ledger/runs.ts';
import { formatCount } from '../../output/format-numbers.ts';
import { scrubSecrets } from '../secrets.ts';
import { type NoticeRecords, openNoticeRecords } from './notice-records.ts';
import { postNotice } from './post-notice.ts';
import { readNoticeAddress } from './read-address.ts';
import { type CommandPlace, renderNotice } from './render-notice.ts';

export interface NoticeTellerOptions {
  readonly job: Pick<Job, 'name' | 'notify'>;
  readonly stateDirectory: string;
  readonly isSimulated: boolean;
  readonly clock: () => Date;
  /** For the terminal: notices that could not be delivered. */
  readonly warn: (message: string) => void;
  /** The command to run, by what has to be done. */
  readonly commands: { readonly continue: string; readonly failures: string; readonly report: string | null };
  /** Where to type them; absent if they are calls in a program. */
  readonly place?: CommandPlace;
}

/** Delivers the notices of one run or retry. It never fails the run, nor delays it for longer than `MAX_MS`. */
export interface NoticeTeller {
  /** During the run: reports batches that nobody has collected. */
  begin(): void;
  /** Reports how the run went. */
  end(ended: RunEnd): Promise<void>;
}

/** How a run ended: with a summary, or with an error. */
export type RunEnd = { readonly summary: Pick<Summary, 'run' | 'exitCode' | 'verdict'> } | { readonly error: unknown };

/** All notices of an invocation together. */
const MAX_MS = 4_000;
/** Receivers accept about one post a second. */
const MAX_BATCH_POSTS = 3;

export function createNoticeTeller(options: NoticeTellerOptions): NoticeTeller {
  const { job, stateDirectory, clock, warn, place = null } = options;
  const { notify } = job;
  const address = notify === null ? null : readNoticeAddress(notify, process.env, options.isSimulated);
  if (address?.problem) warn(address.problem);
  let begun: Promise<void> = Promise.resolve();

  async function readState() {
    const fold = await readStateEvents({ directory: stateDirectory, origin: '' }, new AbortController().signal);
    return { job: job.name, fold, runFiles: openRunFiles(stateDirectory, randomUUID), now: clock() };
  }

  const hasState = () => existsSync(join(stateDirectory, 'events.jsonl'));

  async function tell(notices: readonly Notice[]): Promise<void> {
    if (notify === null || address?.url == null) return;
    const { url } = address;
    const records = hasState() ? openNoticeRecords(stateDirectory) : NO_RECORDS;
    const signal = AbortSignal.timeout(MAX_MS);
    const wanted = notices.filter(({ event }) => notify.on.includes(event));
    const due = wanted.flatMap((notice) => {
      const tries = records.claim(notice, clock());
      return tries === null ? [] : [{ notice, tries }];
    });
    await Promise.all(
      groupAlike(due).map(async (group) => {
        const [{ notice }] = group;
        const command = notice.next === null ? null : options.commands[notice.next];
        const more = group.length === 1 ? '' : `; the same for ${formatCount(group.length - 1)} more batches`;
        const told = {
          ...notice,
          job: job.name,
          at: clock().toISOString(),
          sentence: scrubSecrets(notice.sentence + more),
          command,
          place,
        };
        const end = await postNotice(url, renderNotice(told, notify.form), signal);
        for (const { notice: one, tries } of group) {
          const { id, event, sentence } = one;
          records.settle({ id, event, sentence: scrubSecrets(sentence), status: end.status, tries: tries + 1, at: told.at });
        }
        if (end.status !== 'told')
          warn(`notify: ${told.event} could not be posted: ${end.why}${end.status === 'failed' ? '; the next run tries again' : ''}`);
      }),
    );
  }

  /** A problem with notices affects nothing else. */
  async function attempt(find: () => Promise<readonly Notice[]>): Promise<void> {
    if (address?.url == null) return;
    try {
      await tell(await find());
    } catch (error) {
      warn(
        `notify: nothing could be posted: ${error instanceof AppError ? error.message : ((error as NodeJS.ErrnoException).code ?? 'a fault')}`,
      );
    }
  }

  return {
    begin() {
      begun = attempt(async () => (hasState() ? findUncollected(await readState()) : []));
    },
    async end(ended) {
      await begun;
      await attempt(async () => {
        if (!hasState()) return describeFirst({ job: job.name, now: clock() }, ended);
        if ('error' in ended) return describeError({ job: job.name, now: clock() }, ended.error);
        const state = await readState();
        return [...describeWithdrawn(state, ended.summary), ...makeNotices(state)];
      });
    },
  };
}

interface Due {
  readonly notice: Notice;
  readonly tries: number;
}

/** A large job leaves a hundred batches at once: a few get a post each, more share one. */
function groupAlike(due: readonly Due[]): readonly (readonly [Due, ...Due[]])[] {
  const [first, ...others] = due.filter(({ notice }) => notice.event === 'uncollected');
  if (first === undefined || others.length < MAX_BATCH_POSTS) return due.map((one) => [one]);
  const rest = due.filter(({ notice }) => notice.event !== 'uncollected');
  return [[first, ...others], ...rest.map((one): [Due] => [one])];
}

/** Where a first run has left nothing: each is reported, however often it is repeated. */
const NO_RECORDS: NoticeRecords = { claim: () => 0, settle() {} };

type About = Pick<NoticeState, 'job' | 'now'>;

/** What ended a first run that left no state directory. A mistake in the command or the job is for whoever is writing it. */
function describeFirst(about: About, ended: RunEnd): readonly Notice[] {
  const exitCode = 'summary' in ended ? ended.summary.exitCode : readExitCode(ended.error);
  if (exitCode === EXIT.usage) return [];
  return 'summary' in ended ? describeWithdrawn({ ...about, fold: { runs: [] } }, ended.summary) : describeError(about, ended.error);
}

function readExitCode(error: unknown): number {
  return error instanceof AppError ? error.exitCode : EXIT.bug;
}

/** What ended a run without a summary; nothing for what need not be reported: another active run, an interruption. */
function describeError(about: About, error: unknown): readonly Notice[] {
  const exitCode = readExitCode(error);
  if (UNTOLD.has(exitCode)) return [];
  return [describeRefusal(about, { exitCode, code: error instanceof AppError ? error.code : 'bug', why: explain(error) })];
}

/** A run refused by the provider before it achieved anything, for example because its key has expired, is in no ledger. */
function describeWithdrawn(
  { fold, ...about }: About & { readonly fold: { readonly runs: readonly { readonly id: string }[] } },
  { run, exitCode, verdict }: Pick<Summary, 'run' | 'exitCode' | 'verdict'>,
): readonly Notice[] {
  if (UNTOLD.has(exitCode) || fold.runs.some(({ id }) => id === run)) return [];
  const why = leaveOutSaid(verdict);
  return [describeRefusal(about, { exitCode, code: why, why })];
}

const UNTOLD: ReadonlySet<number> = new Set([EXIT.done, EXIT.locked, EXIT.interrupted, EXIT.terminated]);

/** It has no run of its own: once a day is enough. */
function describeRefusal(
  { job, now }: About,
  { exitCode, code, why }: { readonly exitCode: number; readonly code: string; readonly why: string },
): Notice {
  const id = `stopped ${now.toISOString().slice(0, 10)} ${exitCode} ${hash('sha256', code).slice(0, 12)}`;
  return { id, event: 'stopped', run: null, sentence: `${job}: stopped before it came to a table: ${why}`, next: 'continue' };
}

/** A problem in a table may quote it: only its position is sent. */
function explain(error: unknown): string {
  if (error instanceof UsageError) {
    const { place = null } = error.problems[0] ?? {};
    return `invalid job file, table or flags${place === null ? '' : ` (${place.file}:${place.line})`}; the command prints what is wrong`;
  }
  return error instanceof AppError ? leaveOutSaid(error.message) : 'a bug in rowmill; the command prints where';
}
