import { createHash } from 'node:crypto';
import path from 'node:path';
import { type Problem, UsageError } from '../core/errors.ts';
import type { Job } from '../core/job.ts';
import type { CheckAnswer } from '../core/outcome.ts';
import { makeKey, type Rendered, type Request } from '../core/request.ts';
import type { Row, Table } from '../core/row.ts';
import { showCell } from './cell-text.ts';
import { compileCheckAnswer } from './check-answer.ts';
import { lintJob } from './lint-job.ts';
import { createEngine } from './liquid-engine.ts';
import { type JobSource, NO_SOURCE, type Path, showPath } from './problem-path.ts';
import { type Reask, renderReask } from './reask.ts';
import { type CompiledMessage, compileBody } from './request-body.ts';
import { suggest } from './suggest.ts';
import { compileTemplate, type TemplateProblem } from './template.ts';

/** What the API and the model take; a row beyond it is skipped. */
export interface RequestLimits {
  readonly maxBodyBytes: number;
  /** Prompt and answer together; null is unknown. */
  readonly contextTokens: number | null;
  /** The longest answer the model gives; null is unknown. */
  readonly maxOutputTokens: number | null;
  readonly estimateTokens: (text: string) => number;
}

/** A job bound to a table: everything that is needed to turn its rows into requests and answers into outcomes. */
export interface CompiledJob {
  readonly job: Job;
  readonly url: string;
  /** Never throws: a row that cannot be rendered is skipped with its cause. */
  readonly render: (row: Row) => Rendered;
  readonly renderReask: (request: Request, reask: Reask) => Request;
  readonly checkAnswer: CheckAnswer;
  /** Names how answers are judged: stored answers are judged again when it changes. */
  readonly rulesHash: string;
  /** The columns the answer gives in the output table, without the prefix. */
  readonly answerColumns: readonly string[];
  /** The row as a person calls it: the cells of `input.id`, joined by `/`, or the row's number from 1. */
  readonly rowId: (row: Row) => string;
  /** Things the user should know before paying, in words. */
  readonly warnings: readonly string[];
}

/** Raised when the rules by which answers are judged change in code. */
const RULES_VERSION = 1;

/**
 * Binds a job to a table's columns and checks everything that can be checked before anything is sent.
 * @throws UsageError with every problem: columns the table does not have, templates Liquid refuses, requests the API would refuse
 */
export function compileJob(
  loaded: { readonly job: Job; readonly source?: JobSource },
  table: Pick<Table, 'columns' | 'format'>,
  limits: RequestLimits | null = null,
): CompiledJob {
  const { job, source = NO_SOURCE } = loaded;
  const { messages, problems } = compileMessages(job, source, table.columns);
  problems.push(...findMissingColumns(job, source, table.columns));
  const lint = lintJob(job, source, messages);
  problems.push(...lint.problems);
  if (problems.length > 0) throw new UsageError(problems, { code: 'job' });
  const renderBody = compileBody(job, messages);
  const templated = [...new Set(messages.flatMap(({ template }) => template.columns))];
  const idIndexes = job.input.id.map((name) => table.columns.indexOf(name));
  return {
    job,
    url: job.endpoint,
    render: (row) => renderRow({ row, job, templated, renderBody, limits }),
    renderReask: (request, reask) => renderReask(request, reask, limits?.maxOutputTokens ?? null),
    checkAnswer: compileCheckAnswer(job.output),
    rulesHash: hashRules(job),
    answerColumns: job.output.type === 'json' && job.output.columns.length > 0 ? job.output.columns : ['answer'],
    rowId: (row) => (idIndexes.length === 0 ? String(row.index + 1) : idIndexes.map((index) => showCell(row.cells[index])).join('/')),
    warnings: lint.warnings,
  };
}

interface RowRendering {
  readonly row: Row;
  readonly job: Job;
  /** Indexes of all columns the templates read. */
  readonly templated: readonly number[];
  readonly renderBody: (cells: readonly unknown[]) => string;
  readonly limits: RequestLimits | null;
}

function renderRow({ row, job, templated, renderBody, limits }: RowRendering): Rendered {
  if (templated.length > 0 && templated.every((index) => isBlank(row.cells[index]))) {
    return { status: 'skipped', cause: 'empty', message: 'every cell the prompt uses is empty' };
  }
  let body: string;
  try {
    body = renderBody(row.cells);
  } catch (error) {
    return { status: 'skipped', cause: 'unrenderable', message: (error as Error).message };
  }
  const excess = limits === null ? null : findExcess(body, job, limits);
  if (excess !== null) return { status: 'skipped', cause: 'too_large', message: excess };
  const key = makeKey(job.endpoint, body);
  return { status: 'request', request: { key, customId: key, url: job.endpoint, body } };
}

function isBlank(cell: unknown): boolean {
  if (typeof cell === 'string') return cell === '' || cell.trim() === '';
  return cell === undefined || cell === null;
}

/** A token is at least a byte and a character at most three (four for a pair), so short bodies need no estimate. */
const MAX_BYTES_PER_CHARACTER = 3;

function findExcess(body: string, job: Job, limits: RequestLimits): string | null {
  const mostBytes = body.length * MAX_BYTES_PER_CHARACTER;
  if (mostBytes > limits.maxBodyBytes && Buffer.byteLength(body) > limits.maxBodyBytes) {
    return `the request has ${Buffer.byteLength(body)} bytes; at most ${limits.maxBodyBytes} are allowed`;
  }
  const cap = Number(job.params.max_output_tokens ?? 0);
  if (limits.contextTokens === null || mostBytes + cap <= limits.contextTokens) return null;
  const tokens = limits.estimateTokens(body) + cap;
  return tokens > limits.contextTokens ? `about ${tokens} tokens, answer included; the model’s context is ${limits.contextTokens}` : null;
}

function compileMessages(job: Job, source: JobSource, columns: readonly string[]): { messages: CompiledMessage[]; problems: Problem[] } {
  const scope = { engine: createEngine(), columns, labels: job.labels };
  const messages: CompiledMessage[] = [];
  const problems: Problem[] = [];
  for (const [index, { role, content }] of job.messages.entries()) {
    const at = findMessagePath(job, source, index);
    const { template, problems: found } = compileTemplate(content, scope);
    if (template !== null) messages.push({ role, template });
    for (const problem of found) {
      problems.push({
        place: source.placeInText(at, problem.line, problem.column),
        message: `${showPath(at)}: ${describe(problem, job, columns)}`,
      });
    }
  }
  return { messages, problems };
}

function describe(problem: TemplateProblem, job: Job, columns: readonly string[]): string {
  return problem.missingColumn === undefined ? problem.message : describeMissing(problem.missingColumn, job, columns);
}

function describeMissing(name: string, job: Job, columns: readonly string[]): string {
  const table = job.input.path === '-' ? 'standard input' : path.basename(job.input.path);
  const shown = columns.slice(0, 30).map((column) => (column === '' ? '(no name)' : column));
  return `no column "${name}" in ${table}. Columns: ${shown.join(', ')}${columns.length > 30 ? ', …' : ''}${suggest(name, columns)}`;
}

/** Where the template of a message stands in the job file. */
function findMessagePath(job: Job, source: JobSource, index: number): Path {
  const role = job.messages[index]?.role ?? 'user';
  if (source.has(['messages'])) return ['messages', index, 'content'];
  return source.has(['prompt', role]) ? ['prompt', role] : ['prompt'];
}

function findMissingColumns(job: Job, source: JobSource, columns: readonly string[]): Problem[] {
  const named: (readonly [Path, string])[] = [
    ...job.input.id.map((name) => [['input', 'id'], name] as const),
    ...(job.input.columns ?? []).map((name) => [['input', 'columns'], name] as const),
    ...(job.write.keep === 'all' ? [] : job.write.keep.map((name) => [['write', 'keep'], name] as const)),
  ];
  return named
    .filter(([, name]) => !columns.includes(name))
    .map(([at, name]) => ({ place: source.placeOf(at), message: `${showPath(at)}: ${describeMissing(name, job, columns)}` }));
}

function hashRules(job: Job): string {
  return createHash('sha256')
    .update(JSON.stringify([RULES_VERSION, job.output]))
    .digest('hex')
    .slice(0, 16);
}
