import path from 'node:path';
import type { InputSpec, TableFormat } from '../../core/job.ts';
import { readDelimiter } from './delimiter.ts';
import type { PathProblem } from './output-shorthand.ts';

/** The `input` of a job file; input-schema.ts documents each key. */
export interface InputKeys {
  readonly path?: string;
  readonly documents?: string;
  readonly format?: TableFormat;
  readonly delimiter?: string;
  readonly encoding?: string;
  readonly columns?: readonly string[];
  readonly header?: boolean;
  readonly quote?: 'standard' | 'none';
  readonly skip_lines?: number;
  readonly bad_rows?: 'refuse' | 'skip';
  readonly where?: string;
  readonly sheet?: string;
  readonly split?: { readonly column: string; readonly tokens: number; readonly overlap?: number };
  readonly id?: string | readonly string[];
}

/** What a schema with one message per problem cannot express. */
export function checkInput(input: InputKeys | undefined): readonly PathProblem[] {
  if (input === undefined) return [];
  const { path: table, documents, format, split } = input;
  const problems: PathProblem[] = [];
  if (table === undefined && documents === undefined) problems.push({ path: ['input'], message: 'input.path: missing' });
  if (table !== undefined && documents !== undefined)
    problems.push({ path: ['input', 'documents'], message: 'input.documents: cannot be combined with path; use one of them' });
  if (documents !== undefined && format !== undefined && format !== 'documents')
    problems.push({ path: ['input', 'format'], message: `input.format: documents are not ${format}; leave it out` });
  if (table !== undefined && format === 'documents')
    problems.push({ path: ['input', 'format'], message: 'input.format: documents are named by input.documents, in place of path' });
  if (split !== undefined && (split.overlap ?? 0) * 2 >= split.tokens)
    problems.push({ path: ['input', 'split', 'overlap'], message: 'input.split.overlap: must be less than half of tokens' });
  return problems;
}

const DEFAULT_ID: Readonly<Record<string, readonly string[]>> = { requests: ['custom_id'], documents: ['path'] };

/** The input of a job accepted by the schema. @param directory the folder that relative paths refer to */
export function readInput(input: InputKeys, directory: string): InputSpec {
  const source = input.documents ?? input.path ?? '';
  const format = input.documents === undefined ? (input.format ?? null) : 'documents';
  const id = input.id === undefined ? (DEFAULT_ID[format ?? ''] ?? []) : [input.id].flat();
  return {
    path: source === '-' ? '-' : path.resolve(directory, source),
    format,
    delimiter: input.delimiter === undefined ? null : readDelimiter(input.delimiter),
    encoding: input.encoding ?? null,
    columns: input.columns ?? null,
    // The parts of a row are distinguished too.
    id: input.split === undefined || id.length === 0 ? id : [...id, '_part'],
    // Only what was written: defaults are not part of a finished run's fingerprint.
    ...(input.header === undefined ? {} : { hasHeader: input.header }),
    ...(input.quote === 'none' ? { quote: input.quote } : {}),
    ...(input.skip_lines === undefined || input.skip_lines === 0 ? {} : { skipLines: input.skip_lines }),
    ...(input.bad_rows === 'skip' ? { badRows: input.bad_rows } : {}),
    ...(input.where === undefined ? {} : { where: input.where }),
    ...(input.sheet === undefined ? {} : { sheet: input.sheet }),
    ...(format === 'documents' ? { root: directory } : {}),
    ...(input.split === undefined ? {} : { split: { overlap: 0, ...input.split } }),
  };
}
