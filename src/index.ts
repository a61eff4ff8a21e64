/** The public API: what a program that imports `rowmill` may rely on. */
export { type DefinedJob, defineJob, type JobRun } from './api/define-job.ts';
export type {
  DocumentsInput,
  ExamplesDefinition,
  FileInput,
  InputDefinition,
  JobBasics,
  JobDefinition,
  LimitsDefinition,
  Message,
  Params,
  Prompt,
  PromptParts,
  RequestColumn,
  RequestsDefinition,
  RequestsInput,
  RowInput,
  RowOf,
  RowResult,
  RowsInput,
  SplitDefinition,
} from './api/job-definition.ts';
export type { AnswerOf, FieldWord, JsonMode, JsonSchemaRoot, LongField, OutputDefinition, OutputFields } from './api/output-type.ts';
export type { PlanSettings, RunProgress, RunSettings } from './api/settings.ts';
export type { JsonSchema, StandardIssue, StandardResult, StandardSchema } from './api/standard-schema.ts';
export { DiskError } from './core/disk/disk-error.ts';
export type { ExitCode, Place, Problem } from './core/errors.ts';
export { AppError, EXIT, formatProblem, LedgerError, UsageError } from './core/errors.ts';
export { NewerFormatError } from './core/formats.ts';
export type { Endpoint, Mode, StopSign } from './core/job.ts';
export type { Cause } from './core/outcome.ts';
export type { SkipCause } from './core/row.ts';
export type { AnomalyCosts, CostSummary, DeadlineSummary, DoubtfulCalls, RowCounts, Summary } from './core/summary.ts';
export { formatUsd } from './core/summary.ts';
export { makeEditorSchema as makeJobSchema } from './input/job/schema-examples.ts';
export { LockHeldError } from './ledger/errors.ts';
export { formatDollars } from './output/format-numbers.ts';
export type { CheaperModel } from './run/plan/advice.ts';
export type { PlannedCache } from './run/plan/cache.ts';
export type { CostRange, LaneCosts } from './run/plan/cost.ts';
export type { Plan, PlanProblem, PlanRows, PlanTokens } from './run/plan/plan-result.ts';
export type { PlannedEnd, Successor } from './run/plan/planned-end.ts';
export type { PlannedShard } from './run/plan/shards.ts';
export type { TimeUnderLimits } from './run/plan/time.ts';
