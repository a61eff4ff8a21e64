import { isAscii } from 'node:buffer';

/** A record and the line it starts on, from 1. */
export interface CsvRecord {
  /** Empty if there is a fault. */
  readonly cells: readonly string[];
  readonly line: number;
  /** Why there is no record; null if there is one. */
  readonly fault: CsvFault | null;
}

/** What is wrong with a record, and where; lines and columns from 1, columns in bytes. */
export interface CsvFault {
  /** `ragged`: another number of cells than the first record. `too-long`: its quoted cell does not end within the longest record allowed. */
  readonly type: 'not-closed' | 'text-after-quote' | 'quote-in-text' | 'ragged' | 'too-long';
  readonly line: number;
  readonly column: number;
  /** Where the quoted cell starts; the fault's own line if no cell is open. */
  readonly openLine: number;
  /** How many cells a ragged record has, and how many it should have. */
  readonly cells: number;
  readonly width: number;
  /** The beginning of the record; with bad quotes, its first line. */
  readonly raw: string;
}

/**
 * Finds the records of a CSV text that arrives in pieces, which may be cut anywhere, even within a character. If quotes do not match, the line
 * on which the record starts is a fault by itself, and the next line is a record again: nothing is swallowed.
 */
export interface CsvScanner {
  /** The records that end in what has arrived so far. A few bytes that end none may wait for more. `bytes` may be used again afterwards. */
  add(bytes: Buffer): readonly CsvRecord[];
  /** The remaining records at the end of input: the last one needs no line end. */
  finish(): readonly CsvRecord[];
  /** Bytes of the unfinished record. */
  readonly openBytes: number;
  /** The line on which that record starts. */
  readonly line: number;
}

export interface CsvScannerOptions {
  /** One character. */
  readonly delimiter: string;
  /** Whether a blank line is a record with one empty cell instead of nothing. */
  readonly keepBlankLines: boolean;
  /** Whether quotes enclose cells, or are ordinary characters. */
  readonly hasQuotes: boolean;
  /** The number of the first line. */
  readonly firstLine: number;
  /** A record is examined before it gets longer than this, however many pieces it has. */
  readonly maxRecordBytes: number;
}

const QUOTE = 34;
const LF = 10;
const CR = 13;
const EMPTY: Buffer = Buffer.alloc(0);
/** How much of a bad record is kept: more than is ever shown of it. */
const RAW_BYTES = 1_024;

/**
 * Quotes enclose a whole cell, and are doubled inside; line ends are LF, CRLF and CR, also mixed; spaces belong to the cell.
 * Cells are strings of their own, not slices of a larger one, so keeping one keeps nothing else in memory.
 */
export function createCsvScanner(options: CsvScannerOptions): CsvScanner {
  const { delimiter, keepBlankLines, hasQuotes, maxRecordBytes } = options;
  const separator = Buffer.from(delimiter);
  const endsPlainCell = markBytes(LF, CR, separator[0] as number, ...(hasQuotes ? [QUOTE] : []));
  const needsLookInQuotes = markBytes(LF, CR, QUOTE);
  /** Begins with the bytes that have not been scanned to an end. Used again for every piece, so that reading leaves nothing to collect. */
  let memory: Buffer = EMPTY;
  let heldBytes = 0;
  /** A record of many pieces is scanned again when it has doubled in size: a few times, not once for every piece. */
  let scanAtBytes = 0;
  let bytes: Buffer = EMPTY;
  let isEnd = false;
  let encoding: BufferEncoding = 'utf8';
  let at = 0;
  let line = options.firstLine;
  let isAfterCr = false;
  let width: number | null = null;
  /** What is wrong with the quotes of the current record. */
  let fault: Pick<CsvFault, 'type' | 'line' | 'column' | 'openLine'> | null = null;

  function hold(piece: Buffer): void {
    const neededBytes = heldBytes + piece.length;
    if (neededBytes > memory.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(neededBytes, memory.length * 2));
      memory.copy(larger, 0, 0, heldBytes);
      memory = larger;
    }
    heldBytes += piece.copy(memory, heldBytes);
  }

  function scan(): readonly CsvRecord[] {
    bytes = memory.subarray(0, heldBytes);
    encoding = isAscii(bytes) ? 'latin1' : 'utf8';
    at = isAfterCr && bytes[0] === LF ? 1 : 0;
    const records: CsvRecord[] = [];
    for (;;) {
      if (!keepBlankLines) while (bytes[at] === LF || bytes[at] === CR) takeLineEnd();
      const [start, startLine] = [at, line];
      const cells = at === bytes.length ? null : readRecord();
      const record = cells === null ? passBadLine(start, startLine) : checkWidth(cells, start, startLine);
      if (record === null) {
        if (start > 0) isAfterCr = bytes[start - 1] === CR;
        [at, line] = [start, startLine];
        break;
      }
      records.push(record);
    }
    memory.copyWithin(0, at, heldBytes);
    heldBytes -= at;
    scanAtBytes = Math.min(heldBytes * 2, maxRecordBytes + 1);
    bytes = EMPTY;
    return records;
  }

  function checkWidth(cells: readonly string[], start: number, startLine: number): CsvRecord {
    width ??= cells.length;
    if (cells.length === width) return { cells, line: startLine, fault: null };
    const ragged = { type: 'ragged' as const, line: startLine, column: 1, openLine: startLine };
    return { cells: [], line: startLine, fault: { ...ragged, cells: cells.length, width, raw: readRaw(start, at) } };
  }

  /** The line that starts there as a fault; null if the record or the line is cut off. What follows the line is scanned again. */
  function passBadLine(start: number, startLine: number): CsvRecord | null {
    if (fault === null && bytes.length - start > maxRecordBytes)
      fault = { type: 'too-long', line: startLine, column: 1, openLine: startLine };
    const found = fault;
    fault = null;
    if (found === null) return null;
    let end = start;
    while (end < bytes.length && bytes[end] !== LF && bytes[end] !== CR) end += 1;
    if (end === bytes.length && !isEnd) return null;
    [at, line] = [end, startLine];
    if (end < bytes.length) takeLineEnd();
    return { cells: [], line: startLine, fault: { ...found, cells: 0, width: width ?? 0, raw: readRaw(start, end) } };
  }

  function readRaw(start: number, end: number): string {
    const raw = bytes.toString('utf8', start, Math.min(end, start + RAW_BYTES));
    return raw.replace(/[\r\n\ufffd]+$/, '');
  }

  /** The cells of the record that starts here, moving past its line end; null if it is cut off, or not CSV. */
  function readRecord(): readonly string[] | null {
    const cells: string[] = [];
    for (;;) {
      const isQuoted = hasQuotes && bytes[at] === QUOTE;
      const cellLine = line;
      const cell = isQuoted ? readQuotedCell() : readPlainCell();
      // The next character may be in the next piece.
      if (cell === null || (!isEnd && at + separator.length > bytes.length)) return null;
      cells.push(cell);
      if (isSeparator(at)) {
        at += separator.length;
        continue;
      }
      if (at === bytes.length) return cells;
      if (bytes[at] !== LF && bytes[at] !== CR) {
        fault = { type: isQuoted ? 'text-after-quote' : 'quote-in-text', line, column: columnOf(at), openLine: cellLine };
        return null;
      }
      takeLineEnd();
      return cells;
    }
  }

  function readPlainCell(): string | null {
    const start = at;
    let end = start;
    while (end < bytes.length && (endsPlainCell[bytes[end] as number] === 0 || isOtherCharacter(end))) end += 1;
    at = end;
    return end === bytes.length && !isEnd ? null : bytes.toString(encoding, start, end);
  }

  /** Line breaks inside count as lines. */
  function readQuotedCell(): string | null {
    const openLine = line;
    const start = at + 1;
    let end = start;
    let hasDoubled = false;
    for (; end < bytes.length; end += 1) {
      const byte = bytes[end] as number;
      if (needsLookInQuotes[byte] === 0) continue;
      if (byte === CR || (byte === LF && bytes[end - 1] !== CR)) line += 1;
      if (byte !== QUOTE) continue;
      if (bytes[end + 1] !== QUOTE) break;
      hasDoubled = true;
      end += 1;
    }
    if (end >= bytes.length) {
      if (isEnd) fault = { type: 'not-closed', line: openLine, column: columnOf(start - 1), openLine };
      return null;
    }
    at = end + 1;
    const text = bytes.toString(encoding, start, end);
    return hasDoubled ? text.replaceAll('""', '"') : text;
  }

  function takeLineEnd(): void {
    at += bytes[at] === CR && bytes[at + 1] === LF ? 2 : 1;
    line += 1;
  }

  function isSeparator(offset: number): boolean {
    return bytes[offset] === separator[0] && (separator.length === 1 || !isOtherCharacter(offset));
  }

  /** Whether the byte is the first of the separator, and the character is another one. */
  function isOtherCharacter(offset: number): boolean {
    if (separator.length === 1 || bytes[offset] !== separator[0]) return false;
    return bytes.compare(separator, 0, separator.length, offset, Math.min(offset + separator.length, bytes.length)) !== 0;
  }

  /** A record starts at a line, and is complete from its start. */
  function columnOf(offset: number): number {
    let lineStart = offset;
    while (lineStart > 0 && bytes[lineStart - 1] !== LF && bytes[lineStart - 1] !== CR) lineStart -= 1;
    return offset - lineStart + 1;
  }

  return {
    add(piece) {
      hold(piece);
      return heldBytes < scanAtBytes ? [] : scan();
    },
    finish() {
      isEnd = true;
      return scan();
    },
    get openBytes() {
      return heldBytes;
    },
    get line() {
      return line;
    },
  };
}

function markBytes(...marked: readonly number[]): Uint8Array {
  const marks = new Uint8Array(256);
  for (const byte of marked) marks[byte] = 1;
  return marks;
}
