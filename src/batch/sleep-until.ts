import type { BatchContext } from './context.ts';

/** Sleeps, unless something happens first. @throws the reason of `stopping` */
export async function sleepUntil(
  context: Pick<BatchContext, 'sleep' | 'stopping'>,
  milliseconds: number,
  event: Promise<void>,
): Promise<void> {
  const over = new AbortController();
  const sleeping = context.sleep(milliseconds, AbortSignal.any([context.stopping, over.signal])).catch(() => undefined);
  await Promise.race([sleeping, event]);
  over.abort();
  context.stopping.throwIfAborted();
}
