import { setTimeout as delay } from 'node:timers/promises';
import type { StartTimer } from '../../src/core/timer.ts';

/** Timers that fire when a test says so, however fast or slow the machine is. */
export interface ManualTimers {
  readonly startTimer: StartTimer;
  /** What the timers wait for that neither fired nor were stopped, in milliseconds. */
  armedMs(): readonly number[];
  /** Time passes: those armed fire. */
  fire(): void;
}

export function createManualTimers(): ManualTimers {
  const armed = new Map<object, { readonly milliseconds: number; readonly fire: () => void }>();
  return {
    startTimer(milliseconds, fire) {
      const timer = {};
      armed.set(timer, { milliseconds, fire });
      return () => void armed.delete(timer);
    },
    armedMs: () => [...armed.values()].map(({ milliseconds }) => milliseconds),
    fire() {
      const due = [...armed.values()];
      armed.clear();
      for (const { fire } of due) fire();
    },
  };
}

const PATIENCE_MS = 60_000;

/** Resolves once it is so; everything else in this process gets on meanwhile. Rejects when it has not come in a minute. */
export async function until(isSo: () => boolean): Promise<void> {
  const startedAtMs = performance.now();
  while (!isSo()) {
    if (performance.now() - startedAtMs > PATIENCE_MS) throw new Error('what was waited for did not come');
    await delay(1);
  }
}
