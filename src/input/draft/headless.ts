import type { InputSpec } from '../../core/job.ts';
import type { Table } from '../../core/row.ts';

/** A table as read with its first line as the header. */
interface Looked {
  readonly format: Table['format'];
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly form: Pick<InputSpec, 'columns'>;
}

/** No column name has this many words. */
const FEW_WORDS = 3;
const MANY_WORDS = 8;
const SENTENCE_WORDS = 4;
/** The stop after a whole word, and not after an abbreviation as in `Art. Nr.`. */
const SENTENCE_END = /\p{L}{4,}\.$|[!…]$/u;
/** Cells of one kind that are not column names. A year counts only above other years: tables have columns called 2023. */
const KINDS: readonly RegExp[] = [
  /^(19|20)\d\d$/,
  /^[$€£]?-?\d[\d.,]*%?$/,
  /^\d{1,4}[-./]\d{1,2}[-./]\d{1,4}([ T,].*)?$/,
  /^\S+@\S+\.\w+$/,
  /^https?:\/\/\S+$/,
];
/** What cells of a numeric column contain if there is no number. */
const NOTHING = /^(n\/?a|nan|null|none|nil|unknown|[-–.?]*)$/i;

/** Whether the presumed header line looks like a row: its cells are of one kind with those below. */
export function isHeadless({ format, columns, rows, form }: Looked): boolean {
  if ((format !== 'csv' && format !== 'tsv') || form.columns !== null) return false;
  const heads = columns.map((name, index) => ({ name: name.trim(), cells: listFilled(rows, index) }));
  if (heads.some(isNameAboveData)) return false;
  return heads.some((head) => isAmongItsKind(head) || isRepeated(head) || isSentence(head, heads.length === 1));
}

interface Head {
  readonly name: string;
  readonly cells: readonly string[];
}

function listFilled(rows: Looked['rows'], index: number): readonly string[] {
  return rows.map((cells) => (cells[index] ?? '').trim()).filter((cell) => cell !== '');
}

/** Dates and numbers below a word: it is their name. */
function isNameAboveData({ name, cells }: Head): boolean {
  return cells.length > 0 && !NOTHING.test(name) && findKind([name]) === null && findKind(cells) !== null;
}

function isAmongItsKind({ name, cells }: Head): boolean {
  const kind = findKind([name]);
  return kind !== null && cells.length > 0 && cells.every((cell) => kind.test(cell));
}

/** The first kind that all of them have. */
function findKind(cells: readonly string[]): RegExp | null {
  return KINDS.find((kind) => cells.every((cell) => kind.test(cell))) ?? null;
}

/** A label that also occurs below. */
function isRepeated({ name, cells }: Head): boolean {
  return name !== '' && cells.filter((cell) => cell === name).length > 1;
}

/** A column may be named by a question, but not a column of questions. The name of a single column may be long, but has no comma, and does not end like a sentence. */
function isSentence({ name, cells }: Head, isAlone: boolean): boolean {
  const words = name.split(/\s+/).length;
  if (name.endsWith('?') && cells.filter((cell) => cell.endsWith('?')).length * 2 < cells.length) return false;
  if (isAlone && words > 1 && SENTENCE_END.test(name)) return true;
  return (isAlone && words >= FEW_WORDS && name.includes(', ')) || words >= MANY_WORDS || (words >= SENTENCE_WORDS && /[.!…]$/.test(name));
}
