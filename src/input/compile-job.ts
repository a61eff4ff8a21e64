import { UsageError } from '../core/errors.ts';
import type { Job } from '../core/job.ts';
import { type JobCode, NO_CODE } from '../core/job-code.ts';
import type { CheckAnswer } from '../core/outcome.ts';
import { type JobSource, NO_SOURCE } from '../core/problem-path.ts';
import type { Rendered, Request } from '../core/request.ts';
import type { Row, Table } from '../core/row.ts';
import { listAnswerColumns } from './answer/added-columns.ts';
import { compileRules } from './answer/compile-rules.ts';
import { findBracedColumns } from './request/braced-columns.ts';
import { showCell } from './request/cell-text.ts';
import { type Example, insertExamples } from './request/choose-examples.ts';
import type { CodePrompts } from './request/code-prompts.ts';
import { compileMessages } from './request/compile-messages.ts';
import { leavesJsonWordToRows } from './request/json-word.ts';
import { lintJob } from './request/lint-job.ts';
import { type Reask, renderReask } from './request/reask.ts';
import { compileCodeRender } from './request/render-code.ts';
import { compileRender, type RequestLimits } from './request/render-row.ts';
import type { CompiledMessage } from './request/request-body.ts';
import { compileRequestRender } from './requests/render-requests.ts';
import { passOver } from './where/pass-over.ts';

/** A job bound to a table: everything needed to turn its rows into requests and answers into outcomes. */
export interface CompiledJob {
  readonly job: Job;
  readonly url: string;
  /** Never throws: a row that cannot be rendered is skipped with its cause. */
  readonly render: (row: Row) => Rendered;
  /** The request of a re-ask, made from the row's first request. */
  readonly renderReask: (request: Request, reask: Reask) => Request;
  readonly checkAnswer: CheckAnswer;
  /** Identifies the rules for answers: stored answers are judged again when it changes. */
  readonly rulesHash: string;
  /** Whether a program's functions decide prompts or valid answers: then the same job text may not mean the same job. */
  readonly hasCode: boolean;
  /** The examples shown to the model before each row. */
  readonly examples: readonly Example[];
  /** Properties of the answer, each a column of the output table; empty: the whole answer is one column, `answer`. */
  readonly answerColumns: readonly string[];
  /** The row's name for a person: the cells of `input.id`, joined by `/`, or the row's number from 1; empty for a record that cannot be read. */
  readonly rowId: (row: Row) => string;
  /** The cells used in the prompt, or all of them if a program writes it, in one line: the row's text for a person. */
  readonly rowText: (row: Row) => string;
  /** Whether only the rendered rows show if their prompts contain the word JSON, which JSON mode requires; a row without it is skipped. */
  readonly leavesJsonWordToRows: boolean;
  /** What the user should know before paying, in words. */
  readonly warnings: readonly string[];
}

/**
 * Binds a job to a table's columns and checks everything that can be checked before anything is sent.
 * @param limits what the API and the model accept; null checks no sizes
 * @throws UsageError with every problem: columns the table does not have, templates Liquid rejects, requests the API would refuse
 */
export function compileJob(
  loaded: {
    readonly job: Job;
    readonly source?: JobSource;
    readonly code?: JobCode;
    readonly examples?: readonly Example[];
    /** The code's prompt function; absent for templates. */
    readonly prompts?: CodePrompts | null;
  },
  table: Pick<Table, 'columns' | 'format'>,
  limits: RequestLimits | null = null,
): CompiledJob {
  const { job, source = NO_SOURCE, code = NO_CODE, examples = [], prompts = null } = loaded;
  const hasTemplates = prompts === null;
  const { messages, where, problems } = compileMessages(hasTemplates ? job : { ...job, messages: [] }, source, table);
  // The rows are requests: there is no prompt to check.
  const lint = job.requests === undefined ? lintJob(job, source, messages) : { problems: [], warnings: [] };
  const all = [...problems, ...lint.problems];
  if (all.length > 0) throw new UsageError(all, { code: 'job' });
  const shown = insertExamples(messages, examples);
  const compileOwnRender = (): CompiledJob['render'] => {
    if (job.requests !== undefined) return compileRequestRender(limits);
    return prompts === null ? compileRender(job, shown, limits) : compileCodeRender(job, prompts, limits);
  };
  return {
    job,
    url: job.endpoint,
    render: passOver(where, compileOwnRender()),
    renderReask: (request, reask) => renderReask(request, reask, limits?.maxOutputTokens ?? null),
    ...compileRules(job, code),
    examples,
    hasCode: code !== NO_CODE,
    answerColumns: listAnswerColumns(job),
    rowId: createRowId(job.input.id.map((name) => table.columns.indexOf(name))),
    rowText: createRowText(hasTemplates ? messages : null),
    leavesJsonWordToRows: leavesJsonWordToRows(job, shown),
    warnings: [...lint.warnings, ...findBracedColumns(messages, table.columns)],
  };
}

function createRowId(indexes: readonly number[]): CompiledJob['rowId'] {
  if (indexes.length === 0) return ({ index }) => String(index + 1);
  const [only = -1] = indexes;
  if (indexes.length === 1) return ({ cells, bad }) => (bad === undefined ? showCell(cells[only]) : '');
  return ({ cells, bad }) => (bad === undefined ? indexes.map((index) => showCell(cells[index])).join('/') : '');
}

function createRowText(messages: readonly CompiledMessage[] | null): CompiledJob['rowText'] {
  const used = messages
    ?.flatMap(({ template, images }) => [template, ...images.map((image) => image.template)])
    .flatMap(({ columns }) => columns);
  const columns = used === undefined || used.length === 0 ? null : [...new Set(used)];
  return ({ cells }) =>
    (columns === null ? cells : columns.map((index) => cells[index]))
      .map((cell) => showCell(cell).replaceAll(/\s+/g, ' ').trim())
      .filter((text) => text !== '')
      .join(' | ');
}
