import { isReask } from '../../core/request.ts';
import type { SettledRecord } from '../../core/settled.ts';

/** The length of a job's answers, reasoning included: what its ledger knows about every billed attempt, by run. */
export interface AnswerHistory {
  /** Adds one record; the ledger calls it for each, once. */
  visit(record: Pick<SettledRecord, 'usage' | 'isBilled' | 'run' | 'customId'>): void;
  /**
   * The lengths of the newest runs' answers, adding runs until there are 20: so a pilot is not outweighed by earlier runs.
   * @param runs the runs to use, oldest first
   * @returns null without any answer
   */
  read(runs: readonly string[]): AnswerLengths | null;
}

/** Output tokens of billed attempts. */
export interface AnswerLengths {
  readonly answers: number;
  readonly meanTokens: number;
  readonly p50Tokens: number;
  readonly p95Tokens: number;
  /** How many re-asks were billed per first request. */
  readonly reasksPerRequest: number;
}

/** Fewer say little about the longest answers. */
export const ENOUGH_ANSWERS = 20;

type Histogram = Map<number, number>;

export function createAnswerHistory(): AnswerHistory {
  const byRun = new Map<string, Histogram>();
  const reasksByRun = new Map<string, number>();
  return {
    visit({ usage, isBilled, run, customId }) {
      if (usage === null || !isBilled) return;
      if (isReask(customId)) reasksByRun.set(run, (reasksByRun.get(run) ?? 0) + 1);
      let lengths = byRun.get(run);
      if (lengths === undefined) {
        lengths = new Map();
        byRun.set(run, lengths);
      }
      lengths.set(usage.outputTokens, (lengths.get(usage.outputTokens) ?? 0) + 1);
    },
    read(runs) {
      const merged: Histogram = new Map();
      let answers = 0;
      let reasks = 0;
      for (const run of runs.toReversed()) {
        reasks += reasksByRun.get(run) ?? 0;
        for (const [tokens, count] of byRun.get(run) ?? []) {
          merged.set(tokens, (merged.get(tokens) ?? 0) + count);
          answers += count;
        }
        if (answers >= ENOUGH_ANSWERS) break;
      }
      return answers === 0 ? null : { ...summarize(merged, answers), reasksPerRequest: reasks / Math.max(1, answers - reasks) };
    },
  };
}

function summarize(lengths: Histogram, answers: number): Omit<AnswerLengths, 'reasksPerRequest'> {
  const sorted = [...lengths].sort(([a], [b]) => a - b);
  const quantile = (share: number): number => {
    let left = Math.ceil(share * answers);
    for (const [tokens, count] of sorted) {
      left -= count;
      if (left <= 0) return tokens;
    }
    return 0;
  };
  const sum = sorted.reduce((total, [tokens, count]) => total + tokens * count, 0);
  return { answers, meanTokens: sum / answers, p50Tokens: quantile(0.5), p95Tokens: quantile(0.95) };
}
