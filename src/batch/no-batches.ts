import { AppError, EXIT } from '../core/errors.ts';
import { proposeBaseUrl } from '../openai/classify.ts';
import type { BatchContext } from './context.ts';

/**
 * What to do at an address without batches, or null if it is known to have them: a batch of this state was created there, so
 * the answer came from something in between.
 */
export function findNoBatches(
  { ledger, provider }: Pick<BatchContext, 'ledger' | 'provider'>,
  asked: string,
  said: string,
): AppError | null {
  if (ledger.fold.batches.size > 0) return null;
  const { baseUrl } = provider;
  return new AppError(`this address has no batches; set mode: live (${asked} at ${baseUrl}: ${said})${proposeBaseUrl(baseUrl)}`, {
    code: 'no_batches',
    exitCode: EXIT.refused,
  });
}

/** Whether the address has no such route for a POST. A 501 may have been passed on. */
export function isNoRoute({ status }: { readonly status: number | null }): boolean {
  return status === 404 || status === 405;
}
