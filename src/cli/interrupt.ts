import { AppError, EXIT } from '../core/errors.ts';

/** How long calls in flight may take to finish after the first Ctrl-C. */
const DRAIN_MS = 30_000;

/** One Ctrl-C reaches a command of `timeout` or a script twice, from the terminal and passed on: signals this close together are one. */
const SAME_MS = 500;

/** The two requests of a user at the keyboard: take no new work, and end now. */
export interface Interrupts {
  readonly stopping: AbortSignal;
  readonly signal: AbortSignal;
  /** Removes the handlers: signals have their default effect again. */
  dispose(): void;
}

/**
 * First SIGINT, SIGTERM or SIGHUP: `stopping` fires, and `signal` 30 s later. Second: the process ends at once, which the state directory survives.
 * @param onEnd called just before that
 * @param command the command that continues; null if there is none
 * @param now a clock in milliseconds
 */
export function listenForInterrupts(
  say: (message: string) => void,
  onEnd: (reason: AppError) => void = () => {},
  command: string | null = null,
  now: () => number = () => performance.now(),
): Interrupts {
  const stopping = new AbortController();
  const ending = new AbortController();
  let drain: NodeJS.Timeout | undefined;
  let firstAt = 0;

  function interrupt(name: NodeJS.Signals): void {
    const exitCode = name === 'SIGINT' ? EXIT.interrupted : EXIT.terminated;
    const reason = new AppError('interrupted', { code: 'interrupted', exitCode });
    if (stopping.signal.aborted) {
      if (now() - firstAt < SAME_MS) return;
      say(
        `Stopped now. The answers so far are kept; calls in flight may still be billed; the status of the job names them.${command === null ? '' : `\nContinue: ${command}`}`,
      );
      onEnd(reason);
      process.exit(exitCode);
    }
    say(
      'Finishing the calls in flight (30 s at most); batches at the provider, if there are any, keep running. Ctrl-C again to stop now. Nothing paid is lost.',
    );
    firstAt = now();
    stopping.abort(reason);
    drain = setTimeout(() => ending.abort(reason), DRAIN_MS);
    drain.unref();
  }

  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of names) process.on(name, interrupt);
  return {
    stopping: stopping.signal,
    signal: ending.signal,
    dispose() {
      clearTimeout(drain);
      for (const name of names) process.off(name, interrupt);
    },
  };
}
