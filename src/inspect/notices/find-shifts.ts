import type { Summary } from '../../core/summary.ts';
import { formatSmallDollars } from '../../output/format-numbers.ts';
import type { FieldFacts } from '../../output/report/facts.ts';
import { testRates } from '../../quality/binomial.ts';
import { testChiSquared } from '../../quality/chi-squared.ts';

/** The data by which finished runs are compared. */
export interface ComparedRun {
  readonly summary: Pick<Summary, 'rows' | 'causes' | 'cost'>;
  readonly fields: readonly FieldFacts[];
}

/** Something that differs from the last runs. */
export interface Shift {
  /** Its name in the id of the notice. */
  readonly of: string;
  /** A part of a sentence. It names labels of the job, never row text. */
  readonly what: string;
}

/** The thresholds documented in docs/nights.md. */
const MIN_ROWS = 50;
const MAX_P_VALUE = 0.001;
const MIN_CRAMERS_V = 0.1;
const MIN_REFUSED_SHARE = 0.02;
/** The cost of rows has a long tail: by chance the mean of 20 is half again as high in one night of ten, that of 100 in one of 250. */
const MIN_COST_ROWS = 100;
const MIN_COST_RUNS = 3;
const MIN_COST_RATIO = 1.5;

/** Compares a run with the ones before it. @param earlier the last few finished runs, in any order */
export function findShifts(run: ComparedRun, earlier: readonly ComparedRun[]): readonly Shift[] {
  if (earlier.length === 0) return [];
  return [
    ...run.fields.flatMap((field) => findLabelShift(field, earlier)),
    ...findRefusalShift(run, earlier),
    ...findCostShift(run, earlier),
  ];
}

/** Only answers requested in each run: reused ones are the same by nature. */
function findLabelShift({ field, values }: FieldFacts, earlier: readonly ComparedRun[]): readonly Shift[] {
  const now = values.map(({ newRows = 0 }) => newRows);
  const before = values.map(({ value }) => sum(earlier.map((run) => countOf(run, field, value))));
  if (sum(now) < MIN_ROWS || sum(before) < MIN_ROWS) return [];
  const test = testChiSquared(now, before);
  if (test === null || test.pValue >= MAX_P_VALUE || test.cramersV < MIN_CRAMERS_V) return [];
  const shares = values.map(({ value }, place) => {
    const [from, to] = [(before[place] ?? 0) / sum(before), (now[place] ?? 0) / sum(now)];
    return { value, from, to, change: Math.abs(to - from) };
  });
  const [most] = shares.toSorted((a, b) => b.change - a.change);
  if (most === undefined) return [];
  const numbers = `chi-squared ${test.statistic.toFixed(1)}, ${test.degreesOfFreedom} df, p < 0.001, V ${test.cramersV.toFixed(2)}`;
  return [
    {
      of: `field ${field}`,
      what: `answers of ${field}, most of all ${most.value}: ${showShare(most.from)} to ${showShare(most.to)} (${numbers})`,
    },
  ];
}

function countOf({ fields }: ComparedRun, field: string, value: string): number {
  const found = fields.find((other) => other.field === field)?.values.find((other) => other.value === value);
  return found?.newRows ?? 0;
}

function findRefusalShift(run: ComparedRun, earlier: readonly ComparedRun[]): readonly Shift[] {
  const [refused, rows] = countRefused([run]);
  const [refusedBefore, rowsBefore] = countRefused(earlier);
  if (rows < MIN_ROWS || rowsBefore < MIN_ROWS) return [];
  const [to, from] = [refused / rows, refusedBefore / rowsBefore];
  if (testRates(refused, rows, refusedBefore, rowsBefore) >= MAX_P_VALUE || Math.abs(to - from) < MIN_REFUSED_SHARE) return [];
  return [{ of: 'refusals', what: `refused rows: ${showShare(from)} to ${showShare(to)} (test of two rates, p < 0.001)` }];
}

function countRefused(runs: readonly ComparedRun[]): readonly [refused: number, rows: number] {
  const refused = sum(runs.map(({ summary }) => (summary.causes.refused ?? 0) + (summary.causes.filtered ?? 0)));
  return [refused, sum(runs.map(({ summary }) => summary.rows.in - summary.rows.skipped))];
}

/** A run with few rows, or of unknown cost, shows nothing. */
function findCostShift(run: ComparedRun, earlier: readonly ComparedRun[]): readonly Shift[] {
  const now = costPerRow(run);
  const before = earlier.flatMap((one) => costPerRow(one) ?? []).toSorted((a, b) => a - b);
  const usual = before[Math.floor((before.length - 1) / 2)] ?? 0;
  if (now === null || before.length < MIN_COST_RUNS || usual === 0) return [];
  if (now < usual * MIN_COST_RATIO && now > usual / MIN_COST_RATIO) return [];
  return [{ of: 'cost', what: `cost of a row: ${formatSmallDollars(Math.round(usual))} to ${formatSmallDollars(Math.round(now))}` }];
}

function costPerRow({ summary: { rows, cost } }: ComparedRun): number | null {
  return rows.new < MIN_COST_ROWS || cost.unpricedAttempts > 0 ? null : cost.nanoUsd / rows.new;
}

function showShare(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
