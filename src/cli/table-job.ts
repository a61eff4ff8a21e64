import { resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { UsageError } from '../core/errors.ts';
import { quoteArgument, quotePath } from '../core/wording/quote-argument.ts';
import { type Asked, type AskedFlags, changeAsked, makeAsked } from '../input/draft/asked.ts';
import { type ColumnRoles, guessRoles } from '../input/draft/column-roles.ts';
import { draftJob } from '../input/draft/draft-job.ts';
import { draftRequests } from '../input/draft/draft-requests.ts';
import { type FoundDraft, findDraft, type KnownDraft } from '../input/draft/find-draft.ts';
import { stateLoneHeader } from '../input/draft/lone-header.ts';
import { sampleTable, type TableSample } from '../input/draft/sample-table.ts';
import { type LoadedJob, loadJobText } from '../input/job/load-job.ts';
import { looksLikeRequests } from '../input/requests/looks-like-requests.ts';
import { showFile } from '../input/table/find-files.ts';
import { findColumnClash } from '../output/table-columns.ts';
import { describeUnasked, tellArgument } from './job-argument.ts';
import type { JobFlags, RunFlags, TableFlags } from './options/flags.ts';
import { showCommand } from './run-options.ts';
import { findSchemaLine } from './schema-line.ts';

/** The job of a table as it would be written, and what it was made from. */
export interface TableDraft {
  /** The job file, absolute. */
  readonly file: string;
  readonly text: string;
  /** Null for a table of requests, where nothing has to be guessed. */
  readonly guessed: {
    readonly asked: Asked;
    readonly sample: TableSample;
    readonly roles: ColumnRoles;
    /** The prefix of the added columns if the table already has some of their names; null if it has none. */
    readonly prefix: string | null;
  } | null;
  /** The current file, as it was written; null if there is none. */
  readonly known: KnownDraft | null;
}

/** What a command has to do with the job or table it was given. */
export type ResolvedJob =
  | { readonly jobFile: string; readonly draft: null }
  /** A job that is not in its file yet. */
  | { readonly jobFile: string; readonly draft: TableDraft };

/**
 * Turns the argument into a job: a job file is one; a table has one next to it, or gets one from the flags.
 * @throws UsageError for a table without a question, one whose job file was edited by hand, and for question flags with a job file
 */
export async function resolveJob(command: 'run' | 'plan', argument: string, flags: JobFlags & TableFlags): Promise<ResolvedJob> {
  const asks = listAsked(flags);
  if (tellArgument(argument, command) === 'job') {
    if (asks.length === 0) return { jobFile: argument, draft: null };
    throw new UsageError(
      `${asks.join(', ')}: only for a table; ${argument} is a job file, which has its own prompt and output: change them there`,
    );
  }
  if (flags.input !== undefined) throw new UsageError(`--input: goes with a job file; the table is ${argument}`);
  const found = await findDraft(resolve(argument), process.cwd());
  const { place, known } = found;
  if (asks.length === 0) {
    if (known !== null) return { jobFile: place.file, draft: null };
    const draft = await makeRequestsDraft(argument, found);
    if (draft !== null) return { jobFile: place.file, draft };
    throw new UsageError(describeUnasked(argument));
  }
  if (known === null && flags.prompt === undefined)
    throw new UsageError(
      `${asks.join(', ')}: --prompt is missing; say what to do with each row, as in --prompt 'Summarize this in one sentence'`,
    );
  const asked = askOf(found, flags, `${showCommand(command, argument, flags)}${showAsked(flags)}`);
  if (isDeepStrictEqual(asked, known?.asked)) return { jobFile: place.file, draft: null };
  return { jobFile: place.file, draft: await makeDraft(argument, found, asked) };
}

/**
 * The question for a table: from the flags, else from its job file.
 * @param again the command as it was typed
 * @throws UsageError if that file was edited by hand
 */
export function askOf({ place, known }: FoundDraft, flags: JobFlags & AskedFlags, again: string): Asked {
  if (known === null) return makeAsked(flags);
  if (known.asked !== null) return changeAsked(known.asked, flags);
  const file = showFile(place.file, process.cwd());
  const aside = `mv ${quotePath(file)} ${quotePath(`${file}.old`)} && ${again}`;
  throw new UsageError(
    `${file} was written or edited by hand and is left alone. Use it as it is, or set it aside first:\n  ${showCommand('run', file, flags)}\n  ${aside}`,
  );
}

/** Reads the table and drafts its job, in memory. */
export async function makeDraft(table: string, { place, known }: FoundDraft, asked: Asked): Promise<TableDraft> {
  const path = resolve(table);
  const sample = stateLoneHeader(await sampleTable(path, process.cwd(), new AbortController().signal), asked);
  const roles = guessRoles(sample);
  const schemaLine = findSchemaLine(place.file);
  const answerColumns = typeof asked.output === 'string' ? [] : Object.keys(asked.output);
  const clash = findColumnClash({ columns: sample.columns, answerColumns, keep: 'all', prefix: '' });
  const shared = { out: known?.out ?? null, prefix: clash?.prefix ?? null, schemaLine };
  const text = draftJob({ ...shared, place, table: path, sample, roles, asked });
  return { file: place.file, text, guessed: { asked, sample, roles, prefix: shared.prefix }, known };
}

/** The job of a table whose lines are already requests; null if they are not. */
export async function makeRequestsDraft(table: string, { place, known }: FoundDraft): Promise<TableDraft | null> {
  const path = resolve(table);
  if (!(await looksLikeRequests(path, process.cwd(), new AbortController().signal))) return null;
  return { file: place.file, text: draftRequests({ place, table: path, schemaLine: findSchemaLine(place.file) }), guessed: null, known };
}

/** The job of a draft, as `run` and `plan` take it. @throws UsageError with what is wrong; its problems have no place in a file */
export function loadDraft({ file, text }: TableDraft, { out, mode }: Pick<RunFlags, 'out' | 'mode'>): Promise<LoadedJob> {
  return loadJobText(text, { absolute: file, shown: null }, { cwd: process.cwd(), out: out ?? null, mode: mode ?? null });
}

/** The question flags, as they were typed. */
export function listAsked({ prompt, output, labels, model }: TableFlags): readonly string[] {
  const given = { '--prompt': prompt, '--output': output, '--labels': labels, '--model': model };
  return Object.entries(given).flatMap(([flag, value]) => (value === undefined ? [] : [flag]));
}

/** The same, each preceded by a space, to append to a command. */
export function showAsked({ prompt, output = [], labels, model }: TableFlags): string {
  const parts = [
    ...(prompt === undefined ? [] : ['--prompt', prompt]),
    ...output.flatMap((field) => ['--output', field]),
    ...(labels === undefined ? [] : ['--labels', labels.join(', ')]),
    ...(model === undefined ? [] : ['--model', model]),
  ];
  return parts.map((part) => ` ${quoteArgument(part)}`).join('');
}
