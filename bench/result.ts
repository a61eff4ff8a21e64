import type { Measured } from './measure.ts';

/** One line of docs/benchmarks.md: what took how long, against which baseline of the same run, and what it may take. */
export interface BenchLine {
  readonly what: string;
  readonly measured: Measured;
  /** Null for a baseline itself. `unit` is `x` unless said otherwise: a difference has its own. */
  readonly ratio: { readonly value: number; readonly unit?: string; readonly of: string; readonly limit: number } | null;
  /** Peak memory it may take; null where no limit is set. */
  readonly rssLimitMib: number | null;
  readonly facts: string;
}

/** The line of a tool that stands beside a bench, if it is installed. */
export function toolLines(what: string, measured: Measured | null): readonly BenchLine[] {
  return measured === null ? [] : [{ what, measured, ratio: null, rssLimitMib: null, facts: 'for comparison' }];
}

/** A bench prints its lines as JSON on stdout; `bench/all.ts` gathers them. */
export function printLines(lines: readonly BenchLine[]): void {
  process.stdout.write(`${JSON.stringify(lines)}\n`);
}

/** Node's own share of memory grew between the lines: the limits of issue and docs are two. */
export const RSS_LIMIT_MIB = Number(process.versions.node.split('.')[0]) >= 22 ? 450 : 350;
