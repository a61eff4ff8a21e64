import { makeNumber } from '../../core/exact/exact-number.ts';
import { formatSerial } from './date-form.ts';
import { MAX_PIECE_CHARACTERS, readXml } from './read-xml.ts';
import { unescapeText, type Workbook } from './workbook.ts';

/** A row of a sheet with its non-empty cells, by their columns from 0. */
export interface SheetRow {
  /** The number in the spreadsheet program. */
  readonly line: number;
  readonly cells: ReadonlyMap<number, unknown>;
}

/** The column limit of the format: beyond it there are no cells. */
const MAX_COLUMNS = 16_384;

/** Streams the rows of a sheet that have a non-empty cell. @throws Error with a sentence and the cell's name if one cannot be read */
export async function* readSheetRows(chunks: AsyncIterable<Buffer>, workbook: Workbook): AsyncGenerator<readonly SheetRow[]> {
  let rows: SheetRow[] = [];
  let line = 0;
  let cells = new Map<number, unknown>();
  let column = -1;
  let cell: RawCell = { type: 'n', style: 0, value: '', hasFormula: false, hasValue: false };
  let isValue = false;
  let phoneticDepth = 0;
  let characters = 0;
  const xml = readXml(chunks, {
    open(tag, attributes) {
      if (tag === 'row') {
        line = attributes.r === undefined ? line + 1 : readLine(attributes.r);
        cells = new Map();
        column = -1;
        characters = 0;
      } else if (tag === 'c') {
        column = attributes.r === undefined ? column + 1 : readColumn(attributes.r);
        cell = { type: attributes.t ?? 'n', style: Number(attributes.s ?? 0), value: '', hasFormula: false, hasValue: false };
      } else if (tag === 'f') cell.hasFormula = true;
      else if (tag === 'rPh') phoneticDepth += 1;
      else if (tag === 'v' || (tag === 't' && phoneticDepth === 0)) {
        isValue = true;
        cell.hasValue = true;
      }
    },
    text(text) {
      if (!isValue) return;
      characters += text.length;
      if (characters > MAX_PIECE_CHARACTERS) throw new Error(`row ${line} has more than 64 MB of text`);
      cell.value += text;
    },
    close(tag) {
      if (tag === 'v' || tag === 't') isValue = false;
      else if (tag === 'rPh') phoneticDepth -= 1;
      else if (tag === 'c') {
        const nameCell = () => `${nameColumn(column)}${line}`;
        const value = readValue(cell, workbook, nameCell);
        if (value === null) return;
        if (cells.has(column)) throw new Error(`${nameCell()} occurs twice`);
        cells.set(column, value);
      } else if (tag === 'row' && cells.size > 0) rows.push({ line, cells });
    },
  });
  for await (const _ of xml) {
    if (rows.length > 0) yield rows;
    rows = [];
  }
}

interface RawCell {
  readonly type: string;
  readonly style: number;
  value: string;
  hasFormula: boolean;
  hasValue: boolean;
}

/** The value of a cell; null if it is empty. */
function readValue(cell: RawCell, { texts, dateForms, isFrom1904 }: Workbook, nameCell: () => string): unknown {
  const { type, value } = cell;
  // A text may be empty; an empty number, as libraries write for values nobody has computed, is not a value.
  if (cell.hasFormula && (!cell.hasValue || (type === 'n' && value === '')))
    throw new Error(`${nameCell()} has a formula without a saved value; open the workbook in a spreadsheet program and save it`);
  if (!cell.hasValue) return null;
  switch (type) {
    case 's': {
      const text = texts[Number(value)];
      if (text === undefined) throw new Error(`${nameCell()} refers to a missing text`);
      return keepText(text, nameCell);
    }
    case 'str':
    case 'inlineStr':
      return keepText(unescapeText(value), nameCell);
    case 'b':
      return value === '1' || value === 'true';
    case 'e':
    case 'd':
      return value;
    default: {
      if (value === '') return null;
      const form = dateForms[cell.style] ?? null;
      return (form === null ? null : formatSerial(Number(value), form, isFrom1904)) ?? readNumber(value, nameCell);
    }
  }
}

function keepText(text: string, nameCell: () => string): string | null {
  if (!text.isWellFormed()) throw new Error(`${nameCell()} holds half of a character (a lone surrogate)`);
  return text === '' ? null : text;
}

/** A number as it is shown: Excel writes 1.1 as 1.1000000000000001. Whole numbers beyond 2^53 keep their digits. */
function readNumber(text: string, nameCell: () => string): unknown {
  const value = Number(text);
  if (!Number.isFinite(value)) throw new Error(`${nameCell()} is not a number: ${text.slice(0, 40)}`);
  if (Object.is(value, -0)) return 0;
  return /^-?[1-9]\d*$/.test(text) ? makeNumber(text) : value;
}

function readLine(reference: string): number {
  if (!/^[1-9]\d{0,8}$/.test(reference)) throw new Error(`a row has the invalid number ${reference.slice(0, 20)}`);
  return Number(reference);
}

function readColumn(reference: string): number {
  let column = 0;
  for (const letter of /^[A-Z]+/.exec(reference)?.[0] ?? '') column = column * 26 + letter.charCodeAt(0) - 64;
  if (column < 1 || column > MAX_COLUMNS) throw new Error(`a cell has the invalid name ${reference.slice(0, 20)}`);
  return column - 1;
}

/** 0 is A, 26 is AA. */
export function nameColumn(column: number): string {
  const letter = String.fromCharCode(65 + (column % 26));
  return column < 26 ? letter : nameColumn(Math.floor(column / 26) - 1) + letter;
}
