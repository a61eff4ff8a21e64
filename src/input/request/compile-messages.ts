import path from 'node:path';
import type { Problem } from '../../core/errors.ts';
import type { Job } from '../../core/job.ts';
import { type JobSource, type Path, showPath } from '../../core/problem-path.ts';
import type { Table } from '../../core/row.ts';
import { findClosest, suggest } from '../../core/wording/suggest.ts';
import { showPlaceholder } from '../draft/placeholder.ts';
import { type Condition, compileWhere } from '../where/compile-where.ts';
import { createEngine } from './liquid-engine.ts';
import type { CompiledMessage } from './request-body.ts';
import { type CompiledTemplate, compileTemplate } from './template.ts';
import type { TemplateProblem } from './template-columns.ts';

/** The valid messages of a job bound to a table, and everything that names a column the table does not have. */
export interface CompiledMessages {
  readonly messages: readonly CompiledMessage[];
  /** The condition for a row to be sent; null if all are sent. */
  readonly where: Condition | null;
  readonly problems: readonly Problem[];
}

/** Compiles the templates of a job and looks up every column the job names: in templates, `input.id`, `input.where`, `input.columns` and `write.keep`. */
export function compileMessages(job: Job, source: JobSource, table: Pick<Table, 'columns' | 'format'>): CompiledMessages {
  const scope = { engine: createEngine(), columns: table.columns, labels: job.labels };
  const messages: CompiledMessage[] = [];
  const problems: Problem[] = [];

  function tell(found: readonly TemplateProblem[], at: Path): void {
    for (const { line, column, message, missingColumn } of found) {
      const told =
        missingColumn === undefined
          ? message
          : describeMissingColumn(missingColumn, job, table.columns) + showOddName(missingColumn, table.columns);
      problems.push({ place: source.placeInText(at, line, column), message: `${showPath(at)}: ${told}` });
    }
  }

  function compile(text: string, at: Path): CompiledTemplate | null {
    const { template, problems: found } = compileTemplate(text, scope);
    tell(found, at);
    return template;
  }

  const { condition, problems: ofWhere } =
    job.input.where === undefined ? { condition: null, problems: [] } : compileWhere(job.input.where, table.columns);
  tell(ofWhere, ['input', 'where']);

  for (const [index, { role, content, images = [] }] of job.messages.entries()) {
    const template = compile(content, findMessagePath(job, source, index));
    const countImages = images.filter(({ isFile }) => isFile !== true).length;
    const compiled = images.flatMap(({ url, detail, isFile = false }, place) => {
      const at: Path = isFile ? ['prompt', 'files', place - countImages] : findImagePath(source, place);
      const image = compile(url, at);
      return image === null ? [] : [{ template: image, detail, isFile }];
    });
    if (template !== null && compiled.length === images.length) messages.push({ role, template, images: compiled });
  }
  return { messages, where: condition, problems: [...problems, ...findMissingColumns(job, source, table.columns)] };
}

/** The position of a message's template in the job file. */
function findMessagePath(job: Job, source: JobSource, index: number): Path {
  const role = job.messages[index]?.role ?? 'user';
  if (source.has(['messages'])) return ['messages', index, 'content'];
  return source.has(['prompt', role]) ? ['prompt', role] : ['prompt'];
}

function findImagePath(source: JobSource, index: number): Path {
  const at: Path = ['prompt', 'images', index];
  return source.has([...at, 'url']) ? [...at, 'url'] : at;
}

function findMissingColumns(job: Job, source: JobSource, columns: readonly string[]): Problem[] {
  const named: (readonly [Path, string])[] = [
    ...job.input.id.map((name) => [['input', 'id'], name] as const),
    ...(job.input.columns ?? []).map((name) => [['input', 'columns'], name] as const),
    ...(job.write.keep === 'all' ? [] : job.write.keep.map((name) => [['write', 'keep'], name] as const)),
  ];
  return named
    .filter(([, name]) => !columns.includes(name))
    .map(([at, name]) => ({ place: source.placeOf(at), message: `${showPath(at)}: ${describeMissingColumn(name, job, columns)}` }));
}

/** How a template has to write the column that was probably meant, if its name is not a Liquid identifier. */
function showOddName(name: string, columns: readonly string[]): string {
  const closest = findClosest(name, columns);
  if (closest === null || /^[A-Za-z_]\w*$/.test(closest)) return '';
  return ` In a template it is ${showPlaceholder(closest)}`;
}

const MAX_SHOWN_COLUMNS = 30;

/** The message that a table has no such column, and which columns it has. */
export function describeMissingColumn(name: string, job: Job, columns: readonly string[]): string {
  const table = job.input.path === '-' ? (job.input.shown ?? 'standard input') : path.basename(job.input.path);
  const shown = columns.slice(0, MAX_SHOWN_COLUMNS).map((column) => (column === '' ? '(no name)' : column));
  const more = columns.length > MAX_SHOWN_COLUMNS ? ', …' : '';
  return `no column "${name}" in ${table}. Columns: ${shown.join(', ')}${more}${suggest(name, columns)}`;
}
