/** The public API: what a program that imports `rowmill` may rely on. */
export { type DefinedJob, defineJob, type JobRun } from './api/define-job.ts';
export type { InputDefinition, JobDefinition, Params, Prompt, PromptParts, RowOf, RowResult } from './api/job-definition.ts';
export type { AnswerOf, OutputDefinition } from './api/output-type.ts';
export type { RunProgress } from './api/progress.ts';
export type { PlanSettings, RunSettings } from './api/run-settings.ts';
export type { StandardSchema } from './api/standard-schema.ts';
export type { Place, Problem } from './core/errors.ts';
export { AppError, EXIT, formatProblem, LedgerError, UsageError } from './core/errors.ts';
export type { CostSummary, RowCounts, Summary } from './core/summary.ts';
export { formatUsd } from './core/summary.ts';
export { makeJobSchema } from './input/job/job-schema.ts';
export { LockHeldError } from './ledger/errors.ts';
export type { Plan } from './run/plan/plan-result.ts';
