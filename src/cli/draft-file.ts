import { access, constants, readFile, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type AppError, type Problem, UsageError } from '../core/errors.ts';
import { formatThings } from '../core/wording/format-count.ts';
import { quotePath } from '../core/wording/quote-argument.ts';
import { type Asked, isTemplate } from '../input/draft/asked.ts';
import type { ColumnRoles } from '../input/draft/column-roles.ts';
import { describeLoneHeader } from '../input/draft/guessed-header.ts';
import { canBeNamed, showPlaceholder } from '../input/draft/placeholder.ts';
import type { TableSample } from '../input/draft/sample-table.ts';
import { showFile } from '../input/table/find-files.ts';
import { openAtomicFile } from '../output/atomic-file.ts';
import { say } from './say.ts';
import type { TableDraft } from './table-job.ts';

/** The job file of a table, written once job and table have passed their checks and there is a key. */
export interface DraftFile {
  /** Writes it the first time, and says so. @throws UsageError if somebody else has changed it meanwhile */
  write(): Promise<void>;
  /** The run was refused and achieved nothing: restores the earlier file, so that it describes the run before. */
  takeBack(): Promise<void>;
}

export function createDraftFile(draft: TableDraft): DraftFile {
  const { file, text, known } = draft;
  const shown = showFile(file, process.cwd());
  const readNow = () => readFile(file, 'utf8').catch(() => null);
  let isWritten = false;
  return {
    async write() {
      if (isWritten) return;
      if ((await readNow()) !== (known?.text ?? null))
        throw new UsageError(`${shown} was changed in the meantime and is left alone; run the command again`);
      await replaceText(file, text);
      isWritten = true;
      say(describeWriting(shown, draft));
    },
    async takeBack() {
      if (!isWritten || (await readNow()) !== text) return;
      if (known === null) await rm(file);
      else await replaceText(file, known.text);
      say(known === null ? `${shown} was removed again, because the run was refused` : `${shown} was restored`);
    },
  };
}

/**
 * Checks that a job file can be written into the folder of a table.
 * @param again the command as it would be typed for a table elsewhere
 * @throws UsageError with a way out
 */
export async function checkFolder({ file }: Pick<TableDraft, 'file'>, table: string, again: string): Promise<void> {
  const folder = dirname(file);
  try {
    await access(folder, constants.W_OK);
  } catch {
    const link = `ln -s ${quotePath(resolve(table))} . && ${again}`;
    throw new UsageError(
      `${folder}: the job file is written next to the table, where this user has no write access; in a folder of yours: ${link}`,
    );
  }
}

/** A problem in a job nobody has seen yet is a problem in the flags it was made from. */
export function blameFlags<E extends AppError>(error: E): E | UsageError {
  if (!(error instanceof UsageError)) return error;
  const name = ({ place, message }: Problem): Problem => ({
    place,
    message: message.replace(OF_FLAG, (_, key: string, field?: string) => `--${key}${field === undefined ? '' : ` ${field}`}`),
  });
  return new UsageError(error.problems.map(name), { code: error.code, cause: error });
}

/** The flag that each key of the job came from. */
const OF_FLAG = /^(prompt|output|labels|model)\b(?:\.(?:system|user)\b)?(?:\.([^:]+))?/;

/** The guesses behind a planned job, and how to choose otherwise; empty if nothing was guessed. */
export function describeGuesses({ guessed }: Pick<TableDraft, 'guessed'>): readonly string[] {
  if (guessed === null) return [];
  const { asked, roles, sample, prefix } = guessed;
  const prefixed = describePrefix(prefix);
  const rows = roles.id.length > 0 ? `rows are named by ${roles.id.join(' and ')}` : describeNumbers(roles);
  if (isTemplate(asked.prompt)) return [rows, ...describeEncoding(sample), ...prefixed];
  const others = sample.columns.filter((column) => !roles.texts.includes(column) && canBeNamed(column));
  const other = others[0];
  return [
    `the prompt takes ${roles.texts.join(', ')} (${roles.texts.length === 1 ? 'the column' : 'the columns'} with text); ${rows}`,
    ...(other === undefined ? [] : [`to choose columns, name them in --prompt, as in '… ${showPlaceholder(other)}'`]),
    ...describeHeader(sample),
    ...describeEncoding(sample),
    ...prefixed,
  ];
}

/** Why rows are named by their number. */
function describeNumbers({ nearId }: ColumnRoles): string {
  const why = nearId === null ? '' : `: ${nearId.name} would name them, but ${JSON.stringify(nearId.repeated)} occurs more than once`;
  return `rows are named by their numbers${why}`;
}

/** What was taken for the header of a single column, if it may be a row; and which names were made up for columns of one name. */
function describeHeader({ form, columns }: TableSample): readonly string[] {
  if (form.hasHeader === undefined) return [];
  if (form.columns === null) return [describeLoneHeader(columns[0] ?? '')];
  return [`several columns have one name, so input.columns calls them ${columns.join(', ')}`];
}

/** With a wrong one, letters are sent and paid for that are not in the table. */
function describeEncoding({ form }: TableSample): readonly string[] {
  return form.encoding === null ? [] : [`the table is read as ${form.encoding}, since it is not UTF-8`];
}

/** The prefix of the added columns, and why there is one. */
function describePrefix(prefix: string | null): readonly string[] {
  return prefix === null ? [] : [`added columns begin with ${prefix}: the table has one of their names already`];
}

/** What was guessed, in one line: it decides what is paid for. */
export function describeWriting(shown: string, { known, guessed }: TableDraft): string {
  if (guessed === null) return `Wrote ${shown}: each line of the table is a request, sent as it is`;
  const { asked, roles, sample, prefix } = guessed;
  if (known?.asked != null) return `${shown} replaced: ${listChanges(known.asked, asked)}; nobody had edited it`;
  const text = isTemplate(asked.prompt) ? [] : [`text from ${roles.texts.join(', ')}`];
  const rows = roles.id.length === 0 ? [] : [`rows named by ${roles.id.join(' and ')}`];
  const looked = sample.isWhole ? [] : [`by its first ${formatThings(sample.rows.length, 'row')}`];
  return `Wrote ${shown}: ${[...text, ...rows, asked.model, ...looked, ...describePrefix(prefix)].join(', ')}${[
    ...describeHeader(sample),
    ...describeEncoding(sample),
  ]
    .map((told) => `. But ${told}`)
    .join('')}`;
}

function listChanges(before: Asked, after: Asked): string {
  const changed = (['prompt', 'output', 'labels', 'model'] as const).filter((key) => !isDeepStrictEqual(before[key], after[key]));
  if (changed.length === 0) return 'other guesses';
  const kept = changed.includes('output') ? [] : ['the same output'];
  return [...changed.map((key) => (key === 'labels' ? 'other labels' : `another ${key}`)), ...kept].join(', ');
}

async function replaceText(file: string, text: string): Promise<void> {
  const written = await openAtomicFile(file);
  try {
    await written.write(text);
    await written.commit();
  } catch (error) {
    await written.discard();
    throw error;
  }
}
