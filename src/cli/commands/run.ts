import { hostname } from 'node:os';
import { basename, resolve } from 'node:path';
import { AppError, EXIT } from '../../core/errors.ts';
import type { Summary } from '../../core/summary.ts';
import { chooseBaseUrl } from '../../host/base-url.ts';
import { findUnusedBaseUrl } from '../../host/environment.ts';
import { createRunNotices, type RunNotices } from '../../host/notices/run-notices.ts';
import { loadJob } from '../../input/job/load-job.ts';
import { LockHeldError } from '../../ledger/errors.ts';
import { DEFAULT_BASE_URL } from '../../ledger/origin.ts';
import { renderSummary } from '../../output/render-summary.ts';
import type { CommandChange } from '../../output/verdict.ts';
import { locateStateDirectory } from '../../run/open/target.ts';
import type { RunOptions } from '../../run/options.ts';
import { runJob } from '../../run/run.ts';
import { chooseCalledOrigin } from '../choose-provider.ts';
import { confirmCopy, confirmSpending } from '../confirm.ts';
import { blameFlags, checkFolder, createDraftFile } from '../draft-file.ts';
import { listenForInterrupts } from '../interrupt.ts';
import type { RunFlags, TableFlags } from '../options/flags.ts';
import { type Progress, startProgress } from '../progress.ts';
import { printFailure } from '../report-failure.ts';
import { changeFlags, makeRunOptions, showCommand, showRunCommand } from '../run-options.ts';
import { hasColour, print, printAside, printJson, say } from '../say.ts';
import { createStdoutTable } from '../stdout-table.ts';
import { loadDraft, resolveJob, showAsked, type TableDraft } from '../table-job.ts';

/** `rowmill run`: runs the job, or continues it. A table gets its job file first. */
export async function run(argument: string, flags: RunFlags & TableFlags): Promise<number> {
  const { jobFile, draft } = await resolveJob('run', argument, flags);
  return draft === null ? runWith(jobFile, flags, {}) : runDraft(draft, argument, flags);
}

async function runDraft(draft: TableDraft, argument: string, flags: RunFlags & TableFlags): Promise<number> {
  const file = createDraftFile(draft);
  try {
    const asked = showAsked(flags);
    await checkFolder(draft, argument, showRunCommand(basename(argument), flags) + asked);
    const jobFile = await loadDraft(draft, flags);
    const again = (change: CommandChange) => {
      const changed = changeFlags(flags, change);
      return showRunCommand(argument, changed) + showAsked(changed);
    };
    const commands = { again };
    return await runWith(draft.file, flags, { jobFile, commands }, { ready: file.write, refused: file.takeBack });
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    if (error.exitCode === EXIT.usage || error.exitCode === EXIT.refused) await file.takeBack();
    throw blameFlags(error);
  }
}

/** What a command does at some moments of a run. */
interface RunMoments {
  /** Called one or more times, once everything that can be checked in advance has passed: job, table, cost, key, model; nothing has been sent. */
  ready?(): Promise<void>;
  /** Called when the provider refused the run before it achieved anything. */
  refused?(): Promise<void>;
  /** What is printed instead of the summary if there was no run. */
  renderIdle?(summary: Summary): string;
}

/** Runs with additional options, as `retry` does. */
export async function runWith(
  jobFile: string,
  flags: RunFlags,
  changes: Partial<Pick<RunOptions, 'reopen' | 'overrides' | 'stdin' | 'jobFile'> & { readonly commands: Partial<RunOptions['commands']> }>,
  moments: RunMoments = {},
): Promise<number> {
  let progress: Progress | null = null;
  let isSending = false;
  const tell = (message: string) => {
    progress?.clear();
    say(message);
  };
  const finishProgress = () => progress?.stop();
  const table = createStdoutTable(flags.json === true);
  const printEnd = (reason: AppError) => {
    if (flags.json === true) printFailure(reason, reason.exitCode);
  };
  const interrupts = listenForInterrupts(tell, printEnd, showRunCommand(jobFile, flags));
  const notices = makeNotices(jobFile, flags, tell);
  const metrics =
    flags.metrics === undefined ? null : (await import('../metrics/run-metrics.ts')).createRunMetrics(resolve(flags.metrics), tell);
  try {
    const options = makeRunOptions(jobFile, flags, interrupts);
    if (flags.simulate !== true && chooseBaseUrl(flags.baseUrl) !== DEFAULT_BASE_URL) tell(`Talking to ${chooseBaseUrl(flags.baseUrl)}`);
    const unused = flags.simulate === true ? null : findUnusedBaseUrl(flags.baseUrl);
    if (unused !== null) tell(unused);
    const summary = await runJob({
      ...options,
      ...changes,
      commands: { ...options.commands, ...changes.commands },
      claimStdout: table.claim,
      onPrepared(prepared) {
        metrics?.begin(prepared.compiled.job.name);
        notices.begin(prepared);
      },
      async beforeSending() {
        progress?.clear();
        await moments.ready?.();
      },
      confirm: (plan, spending) =>
        confirmSpending(plan, {
          ...spending,
          isAgreed: flags.yes === true,
          isSimulated: flags.simulate === true,
          isQuiet: flags.progress === 'none',
          asked: options,
        }),
      adoptCopy: (question) => confirmCopy(question, flags.adoptCopy === true),
      watch: (view) => {
        isSending = true;
        progress = startProgress(view, flags.progress, process.stderr);
        metrics?.watch(view);
      },
      warn: tell,
    });
    finishProgress();
    await (isRefusal(summary) ? moments.refused?.() : moments.ready?.());
    const idle = isSending ? null : (moments.renderIdle?.(summary) ?? null);
    if (!isSending && idle === null) say('Nothing to do: nothing has changed since the last run');
    const look = { colour: hasColour(table.isClaimed ? process.stderr : process.stdout), full: false };
    if (flags.json !== true) (table.isClaimed ? printAside : print)(idle ?? renderSummary(summary, look));
    else {
      if (idle !== null) say(idle);
      printJson(summary);
    }
    await table.print(summary);
    await metrics?.end({ summary });
    await notices.end({ summary });
    return summary.exitCode;
  } catch (error) {
    finishProgress();
    await metrics?.end({ error });
    await notices.end({ error });
    if (error instanceof LockHeldError && flags.ifRunning === 'skip') {
      const who = error.pid === 0 ? 'another process' : `process ${error.pid} on ${error.host}`;
      say(`Skipped: this job is being run by ${who}`);
      if (flags.json === true) printFailure(error, EXIT.done);
      return EXIT.done;
    }
    throw error;
  } finally {
    interrupts.dispose();
  }
}

function makeNotices(jobFile: string, flags: RunFlags, warn: (message: string) => void): RunNotices {
  return createRunNotices({
    isSimulated: flags.simulate === true,
    warn,
    place: { folder: process.cwd(), host: hostname() },
    commands: {
      continue: showRunCommand(jobFile, flags),
      failures: showCommand('failures', jobFile, flags),
      report: showCommand('report', jobFile, flags),
    },
    async findRefused() {
      const { job } = await loadJob(jobFile, { cwd: process.cwd() });
      return { job, stateDirectory: locateStateDirectory(job, chooseCalledOrigin(flags), flags.stateDir ?? null) };
    },
  });
}

/** Whether a run was refused before it achieved anything: all others write a table, if only a partial one. */
function isRefusal({ exitCode, outputs }: Summary): boolean {
  return (exitCode === EXIT.usage || exitCode === EXIT.refused) && outputs.table === null;
}
