import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import type { BenchLine, Figure, Measured } from './line.ts';

/** What docs/benchmarks.md shows, and CI compares with: one file, which `npm run bench` writes and nothing else. */

const PATH = 'docs/benchmarks.json';

/** A line as it is stored; its ratios compare measurements of one run. */
export interface KeptLine {
  readonly what: string;
  readonly measured: Omit<Measured, 'facts'> | null;
  readonly against: readonly Ratio[];
  readonly mostRssMib: number | null;
  readonly figures: readonly Figure[];
  readonly facts: string;
}

/** How many times the named line of the same run. */
export interface Ratio {
  readonly what: string;
  readonly cpu: number | null;
  readonly wall: number;
  readonly mostCpu: number | null;
}

/** One passage of a bench. */
export interface Passage {
  readonly rows: number;
  /** A day. */
  readonly on: string;
  readonly node: string;
  readonly cores: number;
  /** The mean number of processes that wanted to run in the minute before: on a busy machine wall time is meaningless. Null: it was not read. */
  readonly load: number | null;
  readonly minutes: number;
  readonly lines: readonly KeptLine[];
}

/** By the name of the bench: the passage on the page, and the small one that CI repeats. */
export type Figures = Readonly<Record<string, { readonly full?: Passage; readonly small?: Passage }>>;

export function readFigures(): Figures {
  return JSON.parse(readFileSync(PATH, 'utf8')) as Figures;
}

export function keepPassage(bench: string, size: 'full' | 'small', passage: Passage): void {
  const figures = readFigures();
  writeFileSync(PATH, `${JSON.stringify({ ...figures, [bench]: { ...figures[bench], [size]: passage } }, null, 1)}\n`);
}

/** Runs a bench and describes the passage. */
export async function makePassage(rows: number, work: () => Promise<readonly BenchLine[]>): Promise<Passage> {
  const startedMs = performance.now();
  const load = round(loadavg()[0] ?? 0, 1);
  const lines = (await work()).map(keepLine);
  const minutes = round((performance.now() - startedMs) / 60_000, 1);
  const machine = { node: process.version, cores: availableParallelism(), load };
  return { rows, on: new Date().toISOString().slice(0, 10), ...machine, minutes, lines };
}

function keepLine({ what, measured, against = [], mostRssMib, figures = [], facts = '' }: BenchLine): KeptLine {
  return {
    what,
    measured: measured && {
      wallSeconds: round(measured.wallSeconds, 3),
      cpuSeconds: measured.cpuSeconds === null ? null : round(measured.cpuSeconds, 3),
      peakRssMib: measured.peakRssMib === null ? null : round(measured.peakRssMib, 0),
    },
    against: against.map(({ line, mostCpu = null }) => ({ what: line.what, ...compare(measured, line.measured), mostCpu })),
    mostRssMib: mostRssMib ?? null,
    figures: figures.map((figure) => ({ ...figure, value: round(figure.value, 3) })),
    facts,
  };
}

function compare(measured: Measured | null, baseline: Measured | null): Pick<Ratio, 'cpu' | 'wall'> {
  if (measured === null || baseline === null) throw new Error('a line without measurements is not to be compared');
  return {
    cpu: measured.cpuSeconds === null || baseline.cpuSeconds === null ? null : round(measured.cpuSeconds / baseline.cpuSeconds, 2),
    wall: round(measured.wallSeconds / baseline.wallSeconds, 2),
  };
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
