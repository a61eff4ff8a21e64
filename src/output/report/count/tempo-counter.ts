import type { TempoStep } from '../facts.ts';

/** Counts events over time in steps that grow with the time they have to cover. */
export interface TempoCounter {
  add(atMs: number, what: Partial<TempoStep>): void;
  /** Null if nothing was added. */
  read(): { readonly fromAt: string; readonly stepMs: number; readonly steps: readonly TempoStep[] } | null;
}

const FIRST_STEP_MS = 250;
const MAX_STEPS = 120;

/** @param startMs no event before this counts */
export function createTempoCounter(startMs: number): TempoCounter {
  let stepMs = FIRST_STEP_MS;
  let steps: TempoStep[] = [];
  return {
    add(atMs, { answers = 0, tokens = 0, rateLimited = 0 }) {
      const sinceMs = Math.max(0, atMs - startMs);
      while (sinceMs / stepMs >= MAX_STEPS) {
        steps = mergePairs(steps);
        stepMs *= 2;
      }
      const place = Math.floor(sinceMs / stepMs);
      while (steps.length <= place) steps.push(QUIET);
      const step = steps[place] ?? QUIET;
      steps[place] = { answers: step.answers + answers, tokens: step.tokens + tokens, rateLimited: step.rateLimited + rateLimited };
    },
    read: () => (steps.length === 0 ? null : { fromAt: new Date(startMs).toISOString(), stepMs, steps }),
  };
}

const QUIET: TempoStep = { answers: 0, tokens: 0, rateLimited: 0 };

function mergePairs(steps: readonly TempoStep[]): TempoStep[] {
  return Array.from({ length: Math.ceil(steps.length / 2) }, (_, place) => {
    const first = steps[place * 2] ?? QUIET;
    const second = steps[place * 2 + 1] ?? QUIET;
    return {
      answers: first.answers + second.answers,
      tokens: first.tokens + second.tokens,
      rateLimited: first.rateLimited + second.rateLimited,
    };
  });
}
