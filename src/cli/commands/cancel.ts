import { EXIT } from '../../core/errors.ts';
import { loadEnvFile } from '../../host/environment.ts';
import { makeEffects } from '../../host/real-effects.ts';
import { type Cancelled, type CancelledBatch, cancelBatches } from '../../inspect/cancel.ts';
import { findStateAt } from '../../inspect/last-run.ts';
import { findState } from '../../inspect/open-state.ts';
import { escapeLineForTerminal } from '../../output/escape-for-terminal.ts';
import { chooseCalledOrigin, makeCallTarget } from '../choose-provider.ts';
import type { JobFlags } from '../options/flags.ts';
import { makeReadOptions } from '../read-options.ts';
import { showContinueCommand } from '../run-options.ts';
import { print, printJson, say } from '../say.ts';

/** `rowmill cancel`: cancels batches at the provider; needs no lock. Exit 7 if the provider could not be asked about a batch. */
export async function cancel(jobFile: string, flags: JobFlags): Promise<number> {
  loadEnvFile();
  const { clock, startTimer, processIdentity } = makeEffects();
  const cancelled = await cancelBatches({
    jobFile,
    cwd: process.cwd(),
    stateRoot: flags.stateDir ?? null,
    target: makeCallTarget(flags, { clock, startTimer }),
    processIdentity,
    signal: new AbortController().signal,
  });
  if (flags.json === true) printJson(cancelled);
  else if (cancelled.batches.length === 0) print('No batches at the provider: nothing to cancel');
  else for (const batch of cancelled.batches) print(escapeLineForTerminal(describe(batch)));
  if (cancelled.batches.length > 0) sayWhatFollows(cancelled, cancelled.runner === null ? await showWhatFollows(jobFile, flags) : '');
  return cancelled.batches.some(({ result }) => result === 'failed') ? EXIT.notFinished : EXIT.done;
}

async function showWhatFollows(jobFile: string, flags: JobFlags): Promise<string> {
  if (findStateAt(jobFile) !== null) return 'run the job again';
  return showContinueCommand(jobFile, flags, await findState({ ...makeReadOptions(jobFile, flags), origin: chooseCalledOrigin(flags) }));
}

function sayWhatFollows({ runner }: Cancelled, command: string): void {
  if (runner === null) say(`What they have finished is billed. To collect it and send the rest again: ${command}`);
  else say(`Process ${runner.pid} on ${runner.host} is running this job and will send the rest again: stop it if you do not want that`);
}

function describe({ id, status, result, message }: CancelledBatch): string {
  switch (result) {
    case 'asked':
      return `${id}  ${status}`;
    case 'over':
      return `${id}  had already ended or was being cancelled`;
    case 'failed':
      return `${id}  NOT cancelled: ${message}`;
    default:
      return result satisfies never;
  }
}
