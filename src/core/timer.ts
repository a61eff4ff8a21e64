/** Calls `fire` once after this many milliseconds, unless the returned function is called first. The real one is created in `cli/`. */
export type StartTimer = (milliseconds: number, fire: () => void) => () => void;

/**
 * Makes a call whose signal fires with `signal`, or with a `TimeoutError` after this many milliseconds.
 * AbortSignal.timeout is not used: Node 20 may collect it before it fires, and the call would hang.
 */
export async function callWithin<T>(
  timeoutMs: number,
  { signal, startTimer }: { readonly signal: AbortSignal; readonly startTimer: StartTimer },
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = new AbortController();
  const stopTimer = startTimer(timeoutMs, () => deadline.abort(new DOMException('the call took too long', 'TimeoutError')));
  try {
    return await call(AbortSignal.any([signal, deadline.signal]));
  } finally {
    stopTimer();
  }
}
