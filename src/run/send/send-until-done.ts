import type { ShardView } from '../../batch/batch-lane.ts';
import { AppError, EXIT } from '../../core/errors.ts';
import type { Lane } from '../../core/lane.ts';
import { formatThings } from '../../core/wording/format-count.ts';
import { TERMINAL_STATUSES } from '../../openai/wire.ts';
import type { Stop } from '../../output/verdict.ts';
import { type AskedModels, explainModelRefusal } from './model-refusal.ts';
import { type SendDueRowsOptions, sendDueRows } from './send-due-rows.ts';
import { readStop, type StopSignal } from './stop.ts';

export interface SendOptions extends SendDueRowsOptions {
  /** Leave once everything is at the provider, instead of waiting for answers. */
  readonly noWait: boolean;
  readonly batchesUnderWay: () => readonly ShardView[];
  /** Whether an attempt ended since the last call in a way that may be tried again. */
  readonly takeRetryable: () => boolean;
  /** Waits while the account's rate is used up. */
  readonly waitForRate: () => Promise<void>;
}

/**
 * Makes passes over the table until no row is due and nothing is in flight: the first pass sends what is new, later ones what came back unanswered.
 * @throws whatever stops the run; the lane then still has to be drained
 */
export async function sendUntilDone(options: SendOptions): Promise<void> {
  const { lane } = options;
  for (;;) {
    if (!(await sendDueRows(options))) {
      // The next pass meets the rows of the unfinished shard again: they are not in flight yet.
      await lane.abandon();
      continue;
    }
    await lane.flush();
    if (!(await waitForDueRows(options))) return;
    await options.waitForRate();
  }
}

/** @returns true as soon as a row may be due again, false once everything has ended without one */
async function waitForDueRows(options: SendOptions): Promise<boolean> {
  const { lane } = options;
  for (;;) {
    const hasGivenBack = lane.takeGivenBack();
    if (options.takeRetryable() || hasGivenBack) return true;
    if (lane.underWay.length === 0) {
      // The last one may have ended with an error.
      await lane.nextEnd();
      return false;
    }
    await waitForEnd(options);
  }
}

/**
 * Waits until something has ended; a run that does not wait leaves once everything is at the provider.
 * @param limit what keeps further rows here until then, as the subject of a sentence; null for nothing
 * @throws AppError exit 7
 */
export async function waitForEnd(
  { lane, noWait, batchesUnderWay }: Pick<SendOptions, 'lane' | 'noWait' | 'batchesUnderWay'>,
  limit: string | null = null,
): Promise<void> {
  if (!noWait) return lane.nextEnd();
  if (!isAllSubmitted(batchesUnderWay(), lane.underWay.length)) return lane.nextChange();
  const unsent = batchesUnderWay().filter(({ phase }) => phase === 'waiting').length;
  const rest =
    unsent === 0 ? '' : `, ${formatThings(unsent, 'more batch file')} here ${unsent === 1 ? 'waits' : 'wait'} for room in its queue`;
  const then = limit === null ? '' : ` and send more: ${limit} has room for no more until then`;
  throw new AppError(`the batches are with the provider${rest}; run the same command later to collect them${then}`, {
    code: 'not_waiting',
    exitCode: EXIT.notFinished,
  });
}

/** Live calls are waited for in any case: nobody else would collect them. */
function isAllSubmitted(underWay: readonly ShardView[], allUnderWay: number): boolean {
  if (underWay.length < allUnderWay) return false;
  return underWay.every(
    ({ phase, batch }) => phase === 'waiting' || (phase === 'polling' && batch !== null && !TERMINAL_STATUSES.has(batch.status)),
  );
}

/** What works, and whether it has spent anything yet. */
interface Work extends AskedModels {
  readonly send: () => Promise<void>;
  readonly hasSpent: () => boolean;
  /** As in `readStop`. */
  readonly baseUrl: string | null;
}

/** Works, and if something stops the work, lets what is in flight end. @returns null when the work is done */
export async function sendUntilStopped(
  lane: Lane,
  stopSignal: StopSignal,
  { send, hasSpent, baseUrl, ...asked }: Work,
): Promise<Stop | null> {
  try {
    await send();
    return null;
  } catch (error) {
    stopSignal.end(error);
    try {
      await lane.abandon();
      await lane.drain();
    } catch (later) {
      // Consequences of an error do not hide it.
      throw readStop(error, true) === null ? error : later;
    }
    const stop = readStop(explainModelRefusal(error, asked), hasSpent(), baseUrl);
    if (stop === null) throw error;
    return stop;
  }
}
