import { createBackoff } from '../../batch/backoff.ts';
import type { BatchContext } from '../../batch/context.ts';
import { isModelCode, QUOTA_CODES } from '../../core/answer/refusal-codes.ts';
import { AppError, EXIT } from '../../core/errors.ts';
import { parseCustomId } from '../../core/request.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { Books } from '../open/books.ts';

/** The first pause after rows that came back rate limited; the longest is ten polls. */
const FIRST_PAUSE_MS = 5_000;

/**
 * Makes the function that is called before rows are packed again: if some of them were refused because of rate limits, it waits, a little longer
 * each time in a row; if the account has no credit left or the model is gone, it stops the run instead of sending them again and again.
 * @throws AppError exit 5 if the account's quota is used up, 4 if the model is refused
 */
export function createRateWait(ledger: Ledger, books: Books, context: BatchContext): () => Promise<void> {
  const { pollMaxMs } = context.settings;
  const backoff = createBackoff({ firstMs: Math.min(FIRST_PAUSE_MS, pollMaxMs), maxMs: pollMaxMs * 10, random: context.random });
  // What an earlier invocation met says nothing about the account now.
  books.takeRateLimited();
  return async () => {
    const customId = books.takeRateLimited();
    if (customId === null) return backoff.reset();
    const key = parseCustomId(customId)?.key;
    const { code, message } = ledger.readAnswer(key === undefined ? -1 : ledger.keys.find(key)).outcome;
    if (code !== null && QUOTA_CODES.has(code)) {
      throw new AppError(`the account has no money or quota left: ${message}`, { code, exitCode: EXIT.stopped });
    }
    if (code !== null && isModelCode(code))
      throw new AppError(`the provider does not offer this model: ${message}`, { code, exitCode: EXIT.refused });
    const pauseMs = backoff.nextMs();
    context.warn(`rows came back rate limited; they go again in ${Math.ceil(pauseMs / 1000)} s`);
    await context.sleep(pauseMs, context.stopping);
  };
}
