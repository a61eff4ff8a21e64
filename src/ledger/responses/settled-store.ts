import fs from 'node:fs';
import { crc32 } from 'node:zlib';
import { asDiskError, DiskError } from '../../core/disk/disk-error.ts';
import { openForReading, openPrivateFile, readBytesAt, writeFully } from '../disk/durable-files.ts';
import { createLinePages } from './line-pages.ts';
import { type BlockContent, type BlockHeader, type BlockSource, crcOf, formatCrc, makeHeader } from './settled-header.ts';

/** The location of the lines of a block. */
export interface BlockPlace {
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

/** A block being appended. */
export interface BlockWriter {
  /** Where the next line will be. */
  readonly offsetBytes: number;
  /** Adds whole lines, in ASCII. */
  write(lines: string): void;
  /** The same for encoded ones, which must not change afterwards. */
  add(chunks: readonly Buffer[]): void;
  finish(): BlockPlace;
}

/** The block of a file that still grows: its lines can be read from the start, its header is written last. */
export interface GrowingBlock extends Pick<BlockWriter, 'offsetBytes' | 'write'> {
  readonly place: BlockPlace;
  finish(source: BlockSource, content: BlockContent): void;
}

const CHUNK_BYTES = 1 << 18;
/** A longer line is not a header. */
const MAX_HEADER_BYTES = 1 << 16;

export interface SettledStoreOptions {
  readonly file: string;
  readonly access: 'write' | 'read';
  /** For a person. */
  readonly tell: (message: string) => void;
}

/**
 * `settled.jsonl`: blocks of small records, one block per recorded response file, in the order of recording. It is derived from
 * `responses/`, so it is never synced and can be deleted; everything from the first block that does not match its file is ignored.
 * A store opened for reading keeps the blocks that are missing from the file in memory; so does one whose file cannot be opened or written, which
 * costs time at the next opening and nothing else.
 */
export class SettledStore {
  readonly #descriptor: number | null;
  readonly #options: SettledStoreOptions;
  #isWritable: boolean;
  /** The end of the blocks read or written so far. */
  #endBytes = 0;
  #isReading = true;
  /** The rest of the file is no longer valid; it is cut when something is written in its place. */
  #isOutdated = false;
  readonly #readFromPage = createLinePages((place) => this.#read(place));
  /** What could not be written, or was not to be, by the offset it would have in the file. */
  readonly #memory: { readonly offsetBytes: number; readonly bytes: Buffer }[] = [];

  constructor(options: SettledStoreOptions) {
    this.#options = options;
    this.#isWritable = options.access === 'write';
    this.#descriptor = this.#open();
  }

  #open(): number | null {
    const { file } = this.#options;
    const { O_RDWR, O_CREAT } = fs.constants;
    try {
      return this.#isWritable ? openPrivateFile(file, O_RDWR | O_CREAT) : openForReading(file);
    } catch (error) {
      this.#goOnInMemory(error);
      return null;
    }
  }

  /** A disk that fails here loses no answer: the file is derived. Other files on such a disk report the failure themselves. */
  #goOnInMemory(error: unknown): void {
    if (!this.#isWritable) return;
    this.#isWritable = false;
    const known = asDiskError(error, this.#options.file);
    const what = known instanceof DiskError ? known.what : (known as Error).message;
    this.#options.tell(`${what}; nothing is lost: it is rebuilt from the answers at each start until it can be written`);
  }

  /** The next block if it is valid for `source`, else null: from then on every block has to be appended. */
  readBlock(source: BlockSource): { readonly content: BlockContent; readonly place: BlockPlace } | null {
    const found = this.#isReading && !this.#isOutdated ? this.#readBlockAtEnd(source) : null;
    if (found === null) this.#isOutdated = true;
    else this.#endBytes = found.place.offsetBytes + found.place.lengthBytes;
    return found;
  }

  /** Says that no further block will be read; what the file contains beyond the last one is cut. */
  endReading(): void {
    if (!this.#isReading) return;
    this.#isReading = false;
    if (!this.#isWritable || this.#descriptor === null) return;
    try {
      fs.ftruncateSync(this.#descriptor, this.#endBytes);
    } catch (error) {
      this.#goOnInMemory(error);
    }
  }

  /** Starts appending the block of a response file. Its header is written last: until then the block does not count. */
  appendBlock(source: BlockSource, content: BlockContent): BlockWriter {
    this.endReading();
    const blockOffset = this.#endBytes;
    const offsetBytes = blockOffset + makeHeader({ ...source, ...content }, 0, 0).length;
    const bodies: Buffer[] = [];
    let pending = '';
    let end = offsetBytes;
    const flush = () => {
      bodies.push(Buffer.from(pending, 'latin1'));
      pending = '';
    };
    return {
      get offsetBytes() {
        return end;
      },
      write: (lines) => {
        pending += lines;
        end += lines.length;
        if (pending.length >= CHUNK_BYTES) flush();
      },
      add: (chunks) => {
        flush();
        bodies.push(...chunks);
        for (const { length } of chunks) end += length;
      },
      finish: () => {
        flush();
        const lengthBytes = end - offsetBytes;
        const header = { ...source, ...content };
        this.#putBlock(blockOffset, makeHeader(header, lengthBytes, crcOf(header, lengthBytes, bodies)), bodies);
        this.#endBytes = end;
        return { offsetBytes, lengthBytes };
      },
    };
  }

  /** Starts the block of a file that still grows. Until it is finished no other block may be appended. */
  growBlock(headerBytes: number): GrowingBlock {
    this.endReading();
    const blockOffset = this.#endBytes;
    const place = { offsetBytes: blockOffset + headerBytes, lengthBytes: 0 };
    const bodies: Buffer[] = [];
    return {
      place,
      get offsetBytes() {
        return place.offsetBytes + place.lengthBytes;
      },
      write: (lines) => {
        const bytes = Buffer.from(lines, 'latin1');
        this.#put(place.offsetBytes + place.lengthBytes, bytes);
        bodies.push(bytes);
        place.lengthBytes += bytes.length;
      },
      finish: (source, content) => {
        const header = { ...source, ...content, headerBytes };
        this.#write(blockOffset, makeHeader(header, place.lengthBytes, crcOf(header, place.lengthBytes, bodies)));
        this.#endBytes = place.offsetBytes + place.lengthBytes;
      },
    };
  }

  /** The line that starts at an offset, newline excluded. @throws RangeError if there is none */
  readLine(offsetBytes: number, maxBytes = Number.POSITIVE_INFINITY): string {
    for (let lengthBytes = 512; ; lengthBytes *= 2) {
      const bytes = this.#read({ offsetBytes, lengthBytes });
      const newline = bytes.indexOf(10);
      if (newline >= 0) return bytes.toString('latin1', 0, newline);
      if (bytes.length < lengthBytes || lengthBytes >= maxBytes) throw new RangeError(`no settled record at offset ${offsetBytes}`);
    }
  }

  /** The same for many lines, in any order. */
  readHeldLine(offsetBytes: number): string {
    // What is in memory is in pieces, and the file may contain something else in its place.
    return (this.#memory.length === 0 ? this.#readFromPage(offsetBytes) : null) ?? this.readLine(offsetBytes);
  }

  /** All lines of a block in chunks of whole lines, newlines included, with the offset of each chunk. */
  *readChunks(place: BlockPlace): Generator<{ readonly lines: string; readonly offsetBytes: number }> {
    const end = place.offsetBytes + place.lengthBytes;
    for (let offsetBytes = place.offsetBytes; offsetBytes < end; ) {
      const bytes = this.#read({ offsetBytes, lengthBytes: Math.min(CHUNK_BYTES, end - offsetBytes) });
      const wholeBytes = bytes.lastIndexOf(10) + 1;
      if (wholeBytes === 0) throw new RangeError(`no settled record at offset ${offsetBytes}`);
      yield { lines: bytes.toString('latin1', 0, wholeBytes), offsetBytes };
      offsetBytes += wholeBytes;
    }
  }

  close(): void {
    if (this.#descriptor !== null) fs.closeSync(this.#descriptor);
  }

  #readBlockAtEnd(source: BlockSource): { content: BlockContent; place: BlockPlace } | null {
    const header = this.#readHeader();
    if (header === null) return null;
    const { repeats, anomalies, file, bytes, sha256, rules } = header;
    if (file !== source.file || bytes !== source.bytes || sha256 !== source.sha256 || rules !== source.rules) return null;
    const zeroed = makeHeader({ ...source, repeats, anomalies }, Number(header.bodyBytes), 0);
    const place = { offsetBytes: this.#endBytes + zeroed.length, lengthBytes: Number(header.bodyBytes) };
    const crc = this.#crcOf(place, crc32(zeroed));
    return crc !== null && formatCrc(crc) === header.crc ? { content: { repeats, anomalies }, place } : null;
  }

  #readHeader(): BlockHeader | null {
    try {
      return JSON.parse(this.readLine(this.#endBytes, MAX_HEADER_BYTES)) as BlockHeader;
    } catch {
      return null;
    }
  }

  /** Null if the file ends before that location. */
  #crcOf(place: BlockPlace, start: number): number | null {
    let crc = start;
    const end = place.offsetBytes + place.lengthBytes;
    for (let offsetBytes = place.offsetBytes; offsetBytes < end; ) {
      const lengthBytes = Math.min(CHUNK_BYTES, end - offsetBytes);
      const bytes = this.#read({ offsetBytes, lengthBytes });
      if (bytes.length < lengthBytes) return null;
      crc = crc32(bytes, crc);
      offsetBytes += lengthBytes;
    }
    return crc;
  }

  #putBlock(offsetBytes: number, header: Buffer, bodies: readonly Buffer[]): void {
    let end = offsetBytes + header.length;
    const isWritten = bodies.every((body) => {
      end += body.length;
      return this.#write(end - body.length, body);
    });
    if (isWritten && this.#write(offsetBytes, header)) return;
    this.#memory.push({ offsetBytes, bytes: Buffer.concat([header, ...bodies]) });
  }

  #put(offsetBytes: number, bytes: Buffer): void {
    if (!this.#write(offsetBytes, bytes)) this.#memory.push({ offsetBytes, bytes });
  }

  #write(offsetBytes: number, bytes: Buffer): boolean {
    if (!this.#isWritable || this.#descriptor === null) return false;
    try {
      writeFully(this.#descriptor, bytes, offsetBytes);
      return true;
    } catch (error) {
      this.#goOnInMemory(error);
      return false;
    }
  }

  #read(place: BlockPlace): Buffer {
    const held = this.#memory.findLast((block) => block.offsetBytes <= place.offsetBytes);
    if (held !== undefined) {
      const start = place.offsetBytes - held.offsetBytes;
      return held.bytes.subarray(start, start + place.lengthBytes);
    }
    return this.#descriptor === null ? Buffer.alloc(0) : readBytesAt(this.#descriptor, place);
  }
}
