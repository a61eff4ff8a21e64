import { EXIT } from '../../core/errors.ts';
import { LockHeldError } from '../../ledger/errors.ts';
import { renderSummary } from '../../output/render-summary.ts';
import type { RunOptions } from '../../run/options.ts';
import { runJob } from '../../run/run.ts';
import { confirmSpending } from '../confirm.ts';
import type { RunFlags } from '../flags.ts';
import { listenForInterrupts } from '../interrupt.ts';
import { startProgress } from '../progress.ts';
import { makeRunOptions } from '../run-options.ts';
import { hasColour, print, say } from '../say.ts';

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
  const interrupts = listenForInterrupts(say);
  let progress: { stop(): void } | null = null;
  const finishProgress = () => progress?.stop();
  try {
    const options = makeRunOptions(jobFile, flags, interrupts);
    const summary = await runJob({
      ...options,
      ...changes,
      confirm: (preview, confirmOverNanoUsd) =>
        confirmSpending(preview, {
          confirmOverNanoUsd,
          isAgreed: flags.yes === true,
          isSimulated: flags.simulate === true,
          isQuiet: flags.progress === 'none',
        }),
      watch: (view) => {
        progress = startProgress(view, flags.progress, process.stderr);
      },
      warn: say,
    });
    finishProgress();
    if (flags.json === true) print(JSON.stringify(summary));
    else print(renderSummary(summary, { colour: hasColour(process.stdout), full: false }));
    return summary.exitCode;
  } catch (error) {
    finishProgress();
    if (error instanceof LockHeldError && flags.ifRunning === 'skip') {
      say(`${error.message}; skipped`);
      return EXIT.done;
    }
    throw error;
  } finally {
    interrupts.dispose();
  }
}
