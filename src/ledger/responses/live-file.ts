import { createHash, type Hash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { asDiskError, onDiskLater } from '../../core/disk/disk-error.ts';
import { createGathering } from '../../core/gathering.ts';
import { parseCustomId } from '../../core/request.ts';
import type { DecideLine, ResponseLine } from '../../core/response-line.ts';
import { isFileNamed, openPrivateFile, removeQuietly, syncDirectory, writeFully } from '../disk/durable-files.ts';
import type { DiskReserve } from '../disk/reserve.ts';
import type { LedgerState } from '../ledger-state.ts';
import { type EventOf, makeLiveName, makeLivePart, type ResponseFile } from '../response-file.ts';
import { judgeLine, judgeReadLine } from './judge-line.ts';
import type { GrowingPart, SettledIndex } from './settled-index.ts';

/** A part is announced when it has this many lines: what a crash leaves unannounced has to be judged again. */
const PART_LINES = 4096;

/** A response line of a live call, newline excluded. */
export interface LiveLine {
  readonly customId: string;
  readonly line: string;
  /** The line as `readResponseLine` returns it, if the caller has that. */
  readonly read?: ResponseLine;
}

/** The live response file of the current run, opened for appending. */
export interface LiveWriter {
  /**
   * Appends lines, one per call: they are synced to disk together with others of the same few milliseconds, then settled, then the promise
   * resolves. A line whose id is already recorded for its custom_id is the same call, delivered again: it is skipped.
   * @throws DiskError if the disk failed, then and from then on
   */
  append(lines: readonly LiveLine[]): Promise<void>;
  /** Makes sure, before calls are made, that their answers can be written. @throws DiskError if they could not */
  prepare(): void;
  /** Announces what was settled so far. The next line starts a new part. */
  closePart(): void;
  /** Lines are not settled before this has ended, so that a part is never on the wrong side of an event. */
  waitFor(event: Promise<unknown>): void;
  close(): Promise<void>;
}

export interface LiveWriterOptions {
  /** The `responses/` directory. */
  readonly directory: string;
  readonly state: LedgerState;
  readonly settled: SettledIndex;
  readonly decide: DecideLine;
  readonly clock: () => Date;
  readonly assertWritable: () => void;
  /** Space that is released if the disk has none left for answers that have arrived. */
  readonly reserve: DiskReserve;
  readonly announce: (event: EventOf<'live-recorded'>) => Promise<void>;
  /** Ids of all lines recorded for a custom id in this generation. */
  readonly readLineIds: (customId: string) => readonly string[];
}

interface OpenFile {
  readonly name: string;
  readonly descriptor: number;
  bytes: number;
}

interface OpenPart {
  readonly file: { -readonly [Field in keyof ResponseFile]: ResponseFile[Field] };
  readonly growing: GrowingPart;
  readonly digest: Hash;
}

export function createLiveWriter(options: LiveWriterOptions): LiveWriter {
  const { state } = options;
  let waiting: { readonly lines: readonly LiveLine[]; readonly resolve: () => void; readonly reject: (error: unknown) => void }[] = [];
  const gathering = createGathering();
  let flushing: Promise<void> | null = null;
  let barrier: Promise<unknown> | null = null;
  let failure: unknown = null;
  let open: OpenFile | null = null;
  let part: OpenPart | null = null;

  async function flush(): Promise<void> {
    while (waiting.length > 0) {
      await gathering.gather();
      const group = waiting;
      waiting = [];
      gathering.taken(group.length);
      try {
        await writeGroup(group.flatMap(({ lines }) => lines));
        for (const { resolve } of group) resolve();
      } catch (error) {
        failure ??= asDiskError(error, options.directory);
        for (const { reject } of [...group, ...waiting]) reject(failure);
        waiting = [];
      }
    }
    flushing = null;
  }

  async function writeGroup(lines: readonly LiveLine[]): Promise<void> {
    options.assertWritable();
    const written = dropRepeated(lines).map(({ line, read }) => ({ bytes: Buffer.from(`${line}\n`), read }));
    if (written.length === 0) return;
    const file = openFile(makeLiveName(state.fold));
    await writeDurably(file, Buffer.concat(written.map(({ bytes }) => bytes)));
    while (barrier !== null) await barrier;
    for (const { bytes, read } of written) record(file, bytes, read);
  }

  /**
   * These bytes are paid for: a failed write is tried once more, with the reserved space. They are written again first, because a failed sync
   * may have dropped what it was supposed to write.
   */
  async function writeDurably(file: OpenFile, bytes: Buffer): Promise<void> {
    const write = async () => {
      writeFully(file.descriptor, bytes, file.bytes);
      await syncData(file.descriptor);
    };
    try {
      await write();
    } catch {
      options.reserve.release();
      await onDiskLater(path.join(options.directory, file.name), write);
    }
  }

  function record(file: OpenFile, bytes: Buffer, read: ResponseLine | undefined): void {
    part ??= beginPart(file);
    const lengthBytes = bytes.length - 1;
    const judged =
      read === undefined
        ? judgeLine({ bytes, start: 0, end: lengthBytes, bytesAt: file.bytes }, part.file, options.decide)
        : judgeReadLine(read, { offsetBytes: file.bytes, lengthBytes }, part.file, options.decide);
    if (judged.status === 'anomaly') throw new Error(`the live lane made a line that is ${judged.anomaly}`);
    part.digest.update(bytes);
    part.file.bytes += bytes.length;
    part.file.lines += 1;
    file.bytes += bytes.length;
    part.growing.take(judged.record, judged.shortAnswer);
    if (part.file.lines >= PART_LINES) closePart();
  }

  function beginPart({ name, bytes: offsetBytes }: OpenFile): OpenPart {
    const createdSeconds = Math.floor(options.clock().getTime() / 1000);
    const file = makeLivePart(state.fold, { file: name, offsetBytes, bytes: 0, lines: 0, createdSeconds }, state.files.length + 1);
    state.beginPart(file);
    return { file, growing: options.settled.grow(file), digest: createHash('sha256') };
  }

  function closePart(): void {
    if (part === null) return;
    const { file, growing, digest } = part;
    part = null;
    const sha256 = digest.digest('hex');
    growing.finish(sha256);
    const { name, offsetBytes, bytes, lines, createdSeconds } = file;
    // If it fails, every later announcement fails too, and the next opening reads the part again.
    options.announce({ type: 'live-recorded', file: name, offsetBytes, bytes, lines, sha256, createdSeconds }).catch(() => undefined);
  }

  /** A file made for calls that never got an answer is removed again. */
  function closeFile(): void {
    if (open === null) return;
    const { name, descriptor } = open;
    open = null;
    const file = path.join(options.directory, name);
    if (fs.fstatSync(descriptor).size === 0 && isFileNamed(file, descriptor)) removeQuietly(file);
    fs.closeSync(descriptor);
  }

  function openFile(name: string): OpenFile {
    if (open?.name === name) return open;
    closeFile();
    const { O_RDWR, O_CREAT } = fs.constants;
    const descriptor = openPrivateFile(path.join(options.directory, name), O_RDWR | O_CREAT);
    try {
      options.assertWritable();
      syncDirectory(options.directory);
    } catch (error) {
      fs.closeSync(descriptor);
      throw error;
    }
    open = { name, descriptor, bytes: fs.fstatSync(descriptor).size };
    return open;
  }

  /** Without the lines of calls that are already recorded, or that are repeated in the same group. */
  function dropRepeated(lines: readonly LiveLine[]): readonly LiveLine[] {
    const idsByCustomId = new Map<string, string[]>();
    return lines.filter(({ customId, line }) => {
      const id = state.keys.find(parseCustomId(customId)?.key ?? '');
      const isKnownKey = id !== -1 && state.keys.settledOffset(id) !== -1;
      const ids = idsByCustomId.get(customId) ?? (isKnownKey ? [...options.readLineIds(customId)] : []);
      const lineId = readLineId(line);
      if (ids.includes(lineId)) return false;
      idsByCustomId.set(customId, [...ids, lineId]);
      return true;
    });
  }

  return {
    append(lines) {
      return new Promise((resolve, reject) => {
        if (failure !== null) return reject(failure);
        waiting.push({ lines, resolve, reject });
        flushing ??= flush();
      });
    },
    prepare() {
      if (failure === null) openFile(makeLiveName(state.fold));
    },
    closePart,
    waitFor(event) {
      const ended = event.then(
        () => undefined,
        () => undefined,
      );
      barrier = ended;
      ended.then(() => {
        if (barrier === ended) barrier = null;
      });
    },
    async close() {
      await flushing;
      closePart();
      closeFile();
    },
  };
}

const LINE_ID = /^\{"id":"([^"\\]*)"/;

function readLineId(line: string): string {
  return LINE_ID.exec(line)?.[1] ?? (JSON.parse(line) as { id: string }).id;
}

function syncData(descriptor: number): Promise<void> {
  return new Promise((resolve, reject) => fs.fdatasync(descriptor, (error) => (error ? reject(error) : resolve())));
}
