import fs from 'node:fs';
import { crc32 } from 'node:zlib';
import { openForReading, openPrivateFile, readBytesAt, writeFully } from './durable-files.ts';
import type { SettledLine } from './settled-line.ts';

/** What must agree before a block stands for its response file. */
export interface BlockSource {
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
  /** The hash of the rules the answers were judged by. */
  readonly rules: string;
}

/** The first line of a block. */
interface BlockHeader extends BlockSource {
  readonly lines: number;
  /** How many of the lines, the first ones, are repeats. */
  readonly repeats: number;
  readonly anomalies: Readonly<Record<string, number>>;
  /** Decimal and padded, so that the header's length is known before the lines are. */
  readonly bodyBytes: string;
  readonly crc: string;
}

/** The records of one response file. */
export interface Block {
  readonly lines: readonly SettledLine[];
  /** Where each line begins in the store, and where the last one ends. */
  readonly offsets: Float64Array;
  readonly repeats: number;
  readonly anomalies: Readonly<Record<string, number>>;
}

/** Where the lines of a block lie. */
export interface BlockPlace {
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

/**
 * `settled.jsonl`: blocks of small records, one block per recorded response file, in the order of recording. It is derived from
 * `responses/` and can be deleted; the first block that does not match its file ends what is worth reading. A store opened for reading
 * keeps the blocks that are missing from the file in memory.
 */
export class SettledStore {
  readonly #descriptor: number | null;
  readonly #canWrite: boolean;
  /** End of the matching prefix. */
  #endBytes = 0;
  #isPrefix = true;
  /** Blocks a reader had to make itself; they begin at `#endBytes` of the file's prefix. */
  readonly #memory: { readonly offsetBytes: number; readonly bytes: Buffer }[] = [];

  constructor(file: string, access: 'write' | 'read') {
    this.#canWrite = access === 'write';
    const { O_RDWR, O_CREAT } = fs.constants;
    if (this.#canWrite) this.#descriptor = openPrivateFile(file, O_RDWR | O_CREAT);
    else this.#descriptor = fs.existsSync(file) ? openForReading(file) : null;
  }

  /** The next block when it stands for `source`, else null: from then on every block has to be appended. */
  readBlock(source: BlockSource): { readonly block: Block; readonly place: BlockPlace } | null {
    const found = this.#isPrefix ? this.#readBlockAt(source) : null;
    if (found === null) this.#endPrefix();
    return found;
  }

  /** Says that no block will be read any more; what the file holds beyond the last one is cut. */
  endReading(): void {
    this.#endPrefix();
  }

  /**
   * Appends the block of a response file.
   * @param encode makes the line of the n-th record, given the offset at which it will lie
   */
  appendBlock(
    source: BlockSource,
    content: { readonly lines: number; readonly repeats: number; readonly anomalies: Readonly<Record<string, number>> },
    encode: (position: number, offsetBytes: number) => string,
  ): BlockPlace {
    this.#endPrefix();
    const makeHeader = (bodyBytes: number, crc: number) =>
      `${JSON.stringify({ ...source, ...content, bodyBytes: String(bodyBytes).padStart(15, '0'), crc: formatCrc(crc) })}\n`;
    const bodyStart = this.#endBytes + Buffer.byteLength(makeHeader(0, 0));
    const lines: string[] = [];
    let offsetBytes = bodyStart;
    for (let position = 0; position < content.lines; position++) {
      const line = encode(position, offsetBytes);
      lines.push(line);
      offsetBytes += line.length;
    }
    const body = Buffer.from(lines.join(''), 'latin1');
    const crc = crc32(body, crc32(makeHeader(body.length, 0)));
    const bytes = Buffer.concat([Buffer.from(makeHeader(body.length, crc)), body]);
    if (this.#canWrite && this.#descriptor !== null) writeFully(this.#descriptor, bytes, this.#endBytes);
    else this.#memory.push({ offsetBytes: this.#endBytes, bytes });
    this.#endBytes += bytes.length;
    return { offsetBytes: bodyStart, lengthBytes: body.length };
  }

  /** The line that begins at an offset, newline excluded. */
  readLine(offsetBytes: number): string {
    for (let lengthBytes = 512; ; lengthBytes *= 2) {
      const bytes = this.#read(offsetBytes, lengthBytes);
      const newline = bytes.indexOf(10);
      if (newline >= 0) return bytes.toString('latin1', 0, newline);
      if (bytes.length < lengthBytes) throw new RangeError(`no settled record at offset ${offsetBytes}`);
    }
  }

  /** The lines of a block from `startBytes` on, about 1 MB of them; empty at the end of the block. */
  readLines(place: BlockPlace, startBytes: number): { readonly lines: readonly SettledLine[]; readonly nextBytes: number } {
    const end = place.offsetBytes + place.lengthBytes;
    const bytes = this.#read(startBytes, Math.min(1 << 20, end - startBytes));
    const whole = bytes.lastIndexOf(10) + 1;
    return { lines: parseLines(bytes.toString('latin1', 0, whole)), nextBytes: startBytes + whole };
  }

  close(): void {
    if (this.#descriptor !== null) fs.closeSync(this.#descriptor);
  }

  #readBlockAt(source: BlockSource): { block: Block; place: BlockPlace } | null {
    const header = this.#readHeader();
    if (header === null) return null;
    const { value, lengthBytes } = header;
    if (value.file !== source.file || value.bytes !== source.bytes || value.sha256 !== source.sha256 || value.rules !== source.rules)
      return null;
    const place = { offsetBytes: this.#endBytes + lengthBytes, lengthBytes: Number(value.bodyBytes) };
    const body = this.#read(place.offsetBytes, place.lengthBytes);
    const crc = crc32(body, crc32(`${JSON.stringify({ ...value, crc: formatCrc(0) })}\n`));
    if (body.length !== place.lengthBytes || formatCrc(crc) !== value.crc) return null;
    this.#endBytes = place.offsetBytes + place.lengthBytes;
    const lines = parseLines(body.toString('latin1'));
    return {
      block: { lines, offsets: findLines(body, place.offsetBytes, lines.length), repeats: value.repeats, anomalies: value.anomalies },
      place,
    };
  }

  #readHeader(): { value: BlockHeader; lengthBytes: number } | null {
    try {
      const line = this.readLine(this.#endBytes);
      return { value: JSON.parse(line) as BlockHeader, lengthBytes: line.length + 1 };
    } catch {
      return null;
    }
  }

  #endPrefix(): void {
    if (!this.#isPrefix) return;
    this.#isPrefix = false;
    if (this.#canWrite && this.#descriptor !== null) fs.ftruncateSync(this.#descriptor, this.#endBytes);
  }

  #read(offsetBytes: number, lengthBytes: number): Buffer {
    const held = this.#memory.findLast((block) => block.offsetBytes <= offsetBytes);
    if (held !== undefined) return held.bytes.subarray(offsetBytes - held.offsetBytes, offsetBytes - held.offsetBytes + lengthBytes);
    if (this.#descriptor === null) return Buffer.alloc(0);
    return readBytesAt(this.#descriptor, { offsetBytes, lengthBytes });
  }
}

function parseLines(text: string): readonly SettledLine[] {
  return JSON.parse(`[${text.trimEnd().replaceAll('\n', ',')}]`) as SettledLine[];
}

function findLines(body: Buffer, startBytes: number, lines: number): Float64Array {
  const offsets = new Float64Array(lines + 1);
  for (let line = 0, position = 0; line <= lines; line++) {
    offsets[line] = startBytes + position;
    position = body.indexOf(10, position) + 1;
  }
  return offsets;
}

function formatCrc(crc: number): string {
  return crc.toString(16).padStart(8, '0');
}
