/** Sleeps for this long, or until one of the signals fires; never rejects. The listeners are removed afterwards, whatever fired. */
export async function sleepUntilAny(
  sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>,
  milliseconds: number,
  signals: readonly AbortSignal[],
): Promise<void> {
  if (milliseconds <= 0 || signals.some((signal) => signal.aborted)) return;
  const interrupt = new AbortController();
  const wake = () => interrupt.abort();
  for (const signal of signals) signal.addEventListener('abort', wake);
  try {
    await sleep(milliseconds, interrupt.signal);
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
  } finally {
    for (const signal of signals) signal.removeEventListener('abort', wake);
  }
}
