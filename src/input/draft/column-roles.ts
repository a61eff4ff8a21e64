import { canBeNamed } from './placeholder.ts';
import type { TableSample } from './sample-table.ts';

/** What the columns of a table are probably for. */
export interface ColumnRoles {
  /** Columns that together identify a row; empty if none do. */
  readonly id: readonly string[];
  /** If none do, a column named like an id, and a value that occurs in it more than once; null without such a column. */
  readonly nearId: { readonly name: string; readonly repeated: string } | null;
  /** Columns with text to read; at least one. */
  readonly texts: readonly string[];
  /** Columns with few different values, and those values, the most frequent first. */
  readonly labels: readonly { readonly name: string; readonly values: readonly string[] }[];
}

/** Properties of the sampled cells of a column. */
interface Column {
  readonly name: string;
  readonly filled: number;
  /** The different values, and how often each occurs. */
  readonly counts: ReadonlyMap<string, number>;
  readonly meanLength: number;
  readonly maxLength: number;
  readonly meanWords: number;
  /** Whether values mostly differ between rows; judged by the first few only, because in more rows more of them repeat. */
  readonly varies: boolean;
  readonly isNumeric: boolean;
}

const ID_NAME =
  /^id[ _-]|(^|[^a-z])(id|ids|key|uuid|guid|nr|no|num|number|code|sku|isbn|asin|url|link|email|ref|idx|index|nummer|número|numero|номер|番号|编号|編號|序号)\d*$/i;
/** Shorter than a text, and read with it. */
const TITLE_NAME = /^(subject|title|headline|heading|betreff|titel|objet|titre|asunto|oggetto|件名|タイトル|标题)$/i;
const MAX_ID_LENGTH = 80;
const MAX_TEXTS = 4;
/** Filled rows that tell whether values vary, in a table of any size. */
const VARYING_ROWS = 20;
/** A column with at least this share of distinct values counts as one of ids with mistakes. */
const NEARLY = 0.9;
const TEXT_WORDS = 4;
const TEXT_LENGTH = 30;
const MAX_LABELS = 20;
const MAX_LABEL_LENGTH = 40;
const DATE = /^\d{1,4}[-./]\d{1,2}[-./]\d{1,4}/;
const NUMBER = /^-?\d+([.,]\d+)?$/;

/** Guesses from names and sampled cells. A column without a name, or with a name no template can use, has no role. */
export function guessRoles(sample: Pick<TableSample, 'columns' | 'rows'>): ColumnRoles {
  const rows = sample.rows.length;
  const columns = sample.columns.map((name, index) => measure(name, sample.rows, index)).filter(({ name }) => canBeNamed(name));
  const texts = findTexts(columns);
  const others = columns.filter((column) => !texts.includes(column));
  const id = findId(others, sample, rows);
  return {
    id: id.map(({ name }) => name),
    nearId: id.length > 0 ? null : findNearId(others, rows),
    texts: texts.map(({ name }) => name),
    labels: others
      .filter((column) => !id.includes(column) && isLabel(column, rows))
      .map(({ name, counts }) => ({ name, values: sortByCount(counts) })),
  };
}

function measure(name: string, rows: TableSample['rows'], index: number): Column {
  const counts = new Map<string, number>();
  let filled = 0;
  let characters = 0;
  let words = 0;
  let maxLength = 0;
  let isNumeric = true;
  let firstValues = 0;
  for (const cells of rows) {
    const cell = (cells[index] ?? '').trim();
    if (cell === '') continue;
    filled += 1;
    counts.set(cell, (counts.get(cell) ?? 0) + 1);
    characters += cell.length;
    words += countWords(cell);
    if (filled === VARYING_ROWS) firstValues = counts.size;
    maxLength = Math.max(maxLength, cell.length);
    isNumeric &&= NUMBER.test(cell);
  }
  const per = Math.max(1, filled);
  const varies = filled < VARYING_ROWS ? counts.size * 2 > filled : firstValues * 2 > VARYING_ROWS;
  const means = { meanLength: characters / per, meanWords: words / per };
  return { name, filled, counts, ...means, maxLength, varies, isNumeric: isNumeric && filled > 0 };
}

/** Scripts without spaces: about two characters per word. */
function countWords(text: string): number {
  const dense = text.match(/[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f]/g)?.length ?? 0;
  return dense / 2 + (text.match(/[^\s\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f]+/g)?.length ?? 0);
}

/** Columns of sentences, and of titles for them; without any, the longest column of words, else of numbers, that is neither an id nor a date. */
function findTexts(columns: readonly Column[]): readonly Column[] {
  const isSentences = ({ meanWords, meanLength, varies }: Column) =>
    meanWords >= TEXT_WORDS && meanLength >= TEXT_LENGTH / 2 && (varies || meanLength > MAX_LABEL_LENGTH);
  const byLength = (a: Column, b: Column) => b.meanLength - a.meanLength;
  const found = columns.filter((column) => isSentences(column) && !isAddress(column)).toSorted(byLength);
  if (found.length > 0) {
    const titles = columns.filter(({ name, varies, isNumeric }) => TITLE_NAME.test(name) && varies && !isNumeric);
    return inOrder(columns, [...new Set([...found, ...titles])].slice(0, MAX_TEXTS));
  }
  const readable = columns.filter((column) => column.filled > 0 && !ID_NAME.test(column.name) && !isDated(column));
  const words = readable.filter(({ isNumeric }) => !isNumeric);
  const [rest = columns] = [words, readable].filter(({ length }) => length > 0);
  return rest.toSorted(byLength).slice(0, 1);
}

function inOrder(columns: readonly Column[], some: readonly Column[]): readonly Column[] {
  return columns.filter((column) => some.includes(column));
}

/** Two things may happen at the same moment. */
function isDated({ counts }: Column): boolean {
  return [...counts.keys()].every((value) => DATE.test(value));
}

function isAddress({ counts }: Column): boolean {
  return [...counts.keys()].every((value) => /^\S+$/.test(value));
}

/** A column that is filled, short and unique in every row: one with such a name, else the first that is not a measurement. */
function findId(columns: readonly Column[], sample: Pick<TableSample, 'columns' | 'rows'>, rows: number): readonly Column[] {
  const isShort = ({ filled, maxLength }: Column) => filled === rows && maxLength <= MAX_ID_LENGTH;
  const short = columns.filter(isShort);
  const unique = short.filter(({ counts }) => counts.size === rows);
  const called = unique.find(({ name }) => ID_NAME.test(splitHumps(name)));
  if (called !== undefined) return [called];
  const part = short.find(({ name, counts }) => ID_NAME.test(splitHumps(name)) && counts.size > 1);
  // One that identifies rows only together with another, like the number of a review within a shop.
  const partner =
    part === undefined || rows < 3 ? undefined : short.find((other) => other !== part && arePairsUnique(sample, other.name, part.name));
  if (part !== undefined && partner !== undefined) return inOrder(columns, [partner, part]);
  const code = unique.find((column) => !column.isNumeric && isAddress(column) && !isDated(column));
  return code === undefined || rows < 3 ? [] : [code];
}

/** A column that would identify rows if a few of its values did not occur twice. */
function findNearId(columns: readonly Column[], rows: number): ColumnRoles['nearId'] {
  const near = columns.find(
    ({ name, filled, counts, maxLength }) =>
      filled === rows && maxLength <= MAX_ID_LENGTH && ID_NAME.test(splitHumps(name)) && counts.size < rows && counts.size > rows * NEARLY,
  );
  const repeated = [...(near?.counts ?? [])].find(([, count]) => count > 1)?.[0];
  return near === undefined || repeated === undefined ? null : { name: near.name, repeated };
}

/** `reviewId` ends in a separate word. */
function splitHumps(name: string): string {
  return name.replaceAll(/([a-z])([A-Z])/g, '$1 $2');
}

function arePairsUnique({ columns, rows }: Pick<TableSample, 'columns' | 'rows'>, a: string, b: string): boolean {
  const [first, second] = [columns.indexOf(a), columns.indexOf(b)];
  return new Set(rows.map((cells) => JSON.stringify([cells[first], cells[second]]))).size === rows.length;
}

function isLabel({ counts, filled, maxLength, name }: Column, rows: number): boolean {
  const isRepeated = counts.size * 3 <= filled;
  return (
    counts.size >= 2 && counts.size <= MAX_LABELS && isRepeated && filled * 2 > rows && maxLength <= MAX_LABEL_LENGTH && !ID_NAME.test(name)
  );
}

function sortByCount(counts: ReadonlyMap<string, number>): readonly string[] {
  return [...counts].toSorted((a, b) => b[1] - a[1]).map(([value]) => value);
}
