import { EXIT } from '../../core/errors.ts';
import { loadEnvFile } from '../../host/environment.ts';
import { makeEffects } from '../../host/real-effects.ts';
import { findStateAt } from '../../inspect/last-run.ts';
import { findState } from '../../inspect/open-state.ts';
import { TERMINAL_STATUSES } from '../../openai/wire.ts';
import { escapeLineForTerminal } from '../../output/escape-for-terminal.ts';
import { type Cancelled, type CancelledBatch, cancelBatches } from '../../upkeep/cancel.ts';
import { chooseCalledOrigin, makeCallTarget } from '../choose-provider.ts';
import type { JobFlags } from '../options/flags.ts';
import { makeReadOptions } from '../read-options.ts';
import { showContinueCommand } from '../run-options.ts';
import { print, printJson, say } from '../say.ts';

/** `rowmill cancel`: cancels batches at the provider, also of a run in progress. Exit 7 if the provider could not be asked about a batch. */
export async function cancel(jobFile: string, flags: JobFlags): Promise<number> {
  loadEnvFile();
  const effects = makeEffects();
  const cancelled = await cancelBatches({
    jobFile,
    cwd: process.cwd(),
    stateRoot: flags.stateDir ?? null,
    target: makeCallTarget(flags, effects),
    effects,
    signal: new AbortController().signal,
  });
  if (flags.json === true) printJson(cancelled);
  else if (cancelled.batches.length === 0) print('No batch in progress at the provider: nothing to cancel');
  else for (const batch of cancelled.batches) print(escapeLineForTerminal(describe(batch)));
  if (cancelled.batches.length > 0) sayWhatFollows(cancelled, cancelled.runner === null ? await showWhatFollows(jobFile, flags) : '');
  return cancelled.batches.some(({ result }) => result === 'failed') ? EXIT.notFinished : EXIT.done;
}

async function showWhatFollows(jobFile: string, flags: JobFlags): Promise<string> {
  if (findStateAt(jobFile) !== null) return 'run the job again';
  return showContinueCommand(jobFile, flags, await findState({ ...makeReadOptions(jobFile, flags), origin: chooseCalledOrigin(flags) }));
}

function sayWhatFollows({ runner }: Cancelled, command: string): void {
  if (runner === null) say(`What they have finished is billed. To collect it, and send all rows without an answer: ${command}`);
  else
    say(
      `Process ${runner.pid} on ${runner.host} is running this job and will send again what they have not finished: stop it if you do not want that`,
    );
}

function describe({ id, status, result, message }: CancelledBatch): string {
  switch (result) {
    case 'asked':
      return `${id}  ${status}`;
    case 'over':
      if (status === 'cancelling') return `${id}  was already being cancelled`;
      return `${id}  ${TERMINAL_STATUSES.has(status) ? 'had already ended' : 'can no longer be cancelled'}: ${status}`;
    case 'failed':
      return `${id}  NOT cancelled: ${message}`;
    default:
      return result satisfies never;
  }
}
