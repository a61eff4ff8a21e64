import assert from 'node:assert/strict';
import { CsvError, type Info } from 'csv-parse';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describeFault, readCsvRecords } from '../../src/input/table/csv-records.ts';

/** A CSV text, how it is to be read, and where it is cut into pieces. */
export interface CsvCase {
  readonly text: string;
  readonly delimiter: string;
  readonly keepBlankLines: boolean;
  /** Bytes of each piece but the last, over and over; empty: one piece. */
  readonly pieceBytes: readonly number[];
}

/** What became of a text: its records as `[line, ...cells]`, and `line:column  why` where it stops being a table. */
export interface CsvReading {
  readonly records: readonly (readonly [number, ...string[]])[];
  readonly refusal: string | null;
}

const QUOTE = 34;
const LF = 10;
const CR = 13;

/**
 * What means something in CSV, and characters of one to four bytes. A zero byte is left out: csv-parse takes one behind a closing quote for the
 * end of the text.
 */
const PARTS = ['a', ' ', 'é', '日', '😀', '"', '""', ',', ';', '§', '\n', '\r', '\r\n', 'a,', '"a"', ',"\n"'];
const anything = fc.array(fc.constantFrom(...PARTS), { maxLength: 16 }).map((parts) => parts.join(''));
const cells = fc.array(fc.constantFrom('', 'a', '日é', '""', '"x,\n;§"', '"\r\n""\r"', '"😀\t"'), { minLength: 4, maxLength: 32 });

/** Mostly a table of two columns, into which something else is put. */
const nearlyTables = fc
  .tuple(cells, fc.constantFrom('\n', '\r\n', '\r', '\n\n'), fc.oneof(fc.constant(''), anything), fc.nat())
  .map(([all, end, other, at]) => {
    const text = all.map((cell, index) => cell + (index % 2 === 0 ? ',' : end)).join('');
    const cut = at % text.length;
    return text.slice(0, cut) + other + text.slice(cut);
  });

/** Texts with and without faults, cut anywhere, within characters too. */
const csvCases: fc.Arbitrary<CsvCase> = fc
  .record({
    text: fc.oneof(anything, nearlyTables, nearlyTables),
    delimiter: fc.constantFrom(',', ',', ';', '§', '😀', ' '),
    keepBlankLines: fc.boolean(),
    pieceBytes: fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 4 }),
  })
  .map((given) => ({ ...given, text: given.text.replaceAll(',', given.delimiter) }));

/** Reads so many random texts here and by csv-parse, and fails at the first difference. @returns how many were refused, by both at the same place */
export async function checkRandomTexts(texts: number, seed?: number): Promise<number> {
  let refused = 0;
  const check = fc.asyncProperty(csvCases, async (given) => {
    const { refusal } = await assertAsOracle(given);
    if (refusal !== null) refused += 1;
  });
  await fc.assert(check, { numRuns: texts, ...(seed === undefined ? {} : { seed }) });
  return refused;
}

/** Fails unless a text is read as csv-parse reads it: the same records on the same lines, and the same refusal at the same place. */
export async function assertAsOracle(given: CsvCase): Promise<CsvReading> {
  const reading = await readCsv(given);
  assert.deepEqual(reading, readWithOracle(given), JSON.stringify(given));
  return reading;
}

async function readCsv({ text, delimiter, keepBlankLines, pieceBytes }: CsvCase): Promise<CsvReading> {
  const records: [number, ...string[]][] = [];
  const bytes = Buffer.from(text);
  async function* open(): AsyncGenerator<Buffer> {
    let start = 0;
    for (let piece = 0; start < bytes.length; piece += 1) {
      const end = start + (pieceBytes[piece % Math.max(1, pieceBytes.length)] ?? bytes.length);
      yield bytes.subarray(start, end);
      start = end;
    }
  }
  for await (const chunk of readCsvRecords({ file: { path: '', shown: 't' }, delimiter, keepBlankLines, open }))
    for (const { line, cells, fault } of chunk) {
      if (fault === null) records.push([line, ...cells]);
      else return { records, refusal: `${fault.line}:${fault.column}  ${describeFault(fault, delimiter)}`.replace(/;.*/, '') };
    }
  return { records, refusal: null };
}

function readWithOracle({ text, delimiter, keepBlankLines }: CsvCase): CsvReading {
  const records: [number, ...string[]][] = [];
  let endLine = 0;
  let before = { lines: 0, blankLines: 0 };
  const nextLine = (blankLines: number) => endLine + 1 + blankLines - before.blankLines;

  /** csv-parse counts a CRLF inside quotes twice, so lines inside cells are counted again. */
  function take(cells: string[], { lines, empty_lines: blankLines }: Info): null {
    const line = nextLine(blankLines);
    const hasBreaks = lines - before.lines > 1 + blankLines - before.blankLines;
    endLine = hasBreaks ? line + cells.reduce((count, cell) => count + (cell.match(/\r\n|\r|\n/g)?.length ?? 0), 0) : line;
    before = { lines, blankLines };
    records.push([line, ...cells]);
    return null;
  }

  try {
    const record_delimiter = ['\r\n', '\n', '\r'];
    parse(text, {
      delimiter,
      record_delimiter,
      skip_empty_lines: !keepBlankLines,
      on_record: take as unknown as (cells: string[]) => string[],
    });
    return { records, refusal: null };
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    if (error.code !== 'CSV_RECORD_INCONSISTENT_FIELDS_LENGTH') return { records, refusal: findQuoteFault(Buffer.from(text), delimiter) };
    const line = nextLine(Number(error.empty_lines));
    const found = (error.record as readonly string[]).length;
    const expected = /expect (\d+)/.exec(error.message)?.[1];
    return {
      records,
      refusal:
        `${line}:1  ${found} ${found === 1 ? 'cell' : 'cells'}, expected ${expected} (separated by ${JSON.stringify(delimiter)})`.replace(
          /;.*/,
          '',
        ),
    };
  }
}

/** csv-parse says that a quote is out of place, but not exactly where: this walks there byte by byte. */
function findQuoteFault(bytes: Buffer, delimiter: string): string {
  let state: 'cell-start' | 'plain' | 'quoted' | 'quote-seen' = 'cell-start';
  let line = 1;
  let column = 0;
  let open = { line: 1, column: 1 };
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    const isBreak = byte === LF || byte === CR;
    column += 1;
    if (state === 'quoted') state = byte === QUOTE ? 'quote-seen' : 'quoted';
    else if (byte === QUOTE && state === 'quote-seen') state = 'quoted';
    else if (isBreak) state = 'cell-start';
    else if (bytes.subarray(at, at + Buffer.byteLength(delimiter)).equals(Buffer.from(delimiter))) {
      state = 'cell-start';
      at += Buffer.byteLength(delimiter) - 1;
      column += Buffer.byteLength(delimiter) - 1;
    } else if (state === 'quote-seen') return `${line}:${column}  text after a closing quote, in the cell that starts on line ${open.line}`;
    else if (byte !== QUOTE) state = 'plain';
    else if (state === 'plain') return `${line}:${column}  a quote inside a cell that is not quoted`;
    else {
      state = 'quoted';
      open = { line, column };
    }
    if (byte === CR || (byte === LF && bytes[at - 1] !== CR)) line += 1;
    if (isBreak) column = 0;
  }
  return `${open.line}:${open.column}  the quoted cell that starts here is never closed`;
}
