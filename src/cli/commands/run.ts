import { type AppError, EXIT } from '../../core/errors.ts';
import { chooseBaseUrl } from '../../host/base-url.ts';
import { findUnusedBaseUrl } from '../../host/environment.ts';
import { LockHeldError } from '../../ledger/errors.ts';
import { DEFAULT_BASE_URL } from '../../ledger/origin.ts';
import { renderSummary } from '../../output/render-summary.ts';
import type { RunOptions } from '../../run/options.ts';
import { runJob } from '../../run/run.ts';
import { confirmCopy, confirmSpending } from '../confirm.ts';
import type { RunFlags } from '../flags.ts';
import { listenForInterrupts } from '../interrupt.ts';
import { type Progress, startProgress } from '../progress.ts';
import { printFailure } from '../report-failure.ts';
import { makeRunOptions, showRunCommand } from '../run-options.ts';
import { hasColour, print, printJson, say } from '../say.ts';

/** `rowmill run`: does the job, or continues it. */
export async function run(jobFile: string, flags: RunFlags): Promise<number> {
  return runWith(jobFile, flags, {});
}

/** Runs with some options of its own, as `retry` does. */
export async function runWith(
  jobFile: string,
  flags: RunFlags,
  changes: Partial<Pick<RunOptions, 'reopen' | 'overrides' | 'stdin'>>,
): Promise<number> {
  let progress: Progress | null = null;
  const tell = (message: string) => {
    progress?.clear();
    say(message);
  };
  const finishProgress = () => progress?.stop();
  const printEnd = (reason: AppError) => {
    if (flags.json === true) printFailure(reason, reason.exitCode);
  };
  const interrupts = listenForInterrupts(tell, printEnd, showRunCommand(jobFile, flags));
  try {
    const options = makeRunOptions(jobFile, flags, interrupts);
    if (flags.simulate !== true && chooseBaseUrl(flags.baseUrl) !== DEFAULT_BASE_URL) tell(`Talking to ${chooseBaseUrl(flags.baseUrl)}`);
    const unused = flags.simulate === true ? null : findUnusedBaseUrl(flags.baseUrl);
    if (unused !== null) tell(unused);
    const summary = await runJob({
      ...options,
      ...changes,
      confirm: (plan, spending) =>
        confirmSpending(plan, {
          ...spending,
          isAgreed: flags.yes === true,
          isSimulated: flags.simulate === true,
          isQuiet: flags.progress === 'none',
        }),
      adoptCopy: (question) => confirmCopy(question, flags.adoptCopy === true),
      watch: (view) => {
        progress = startProgress(view, flags.progress, process.stderr);
      },
      warn: tell,
    });
    finishProgress();
    if (flags.json === true) printJson(summary);
    else print(renderSummary(summary, { colour: hasColour(process.stdout), full: false }));
    return summary.exitCode;
  } catch (error) {
    finishProgress();
    if (error instanceof LockHeldError && flags.ifRunning === 'skip') {
      say(`${error.message}; skipped`);
      if (flags.json === true) printFailure(error, EXIT.done);
      return EXIT.done;
    }
    throw error;
  } finally {
    interrupts.dispose();
  }
}
