/** The public API: what a program that imports `rowmill` may rely on. */
export type { Place, Problem } from './core/errors.ts';
export { AppError, EXIT, formatProblem, UsageError } from './core/errors.ts';
export type { CostSummary, RowCounts, Summary } from './core/summary.ts';
export { formatUsd } from './core/summary.ts';
export { makeJobSchema } from './input/job-schema.ts';
