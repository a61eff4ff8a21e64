import type { SettledRecord } from '../../core/settled.ts';
import type { ResponseFile } from '../response-file.ts';
import { boundSettledLine, completeLine, writeEarlyLine } from './settled-line.ts';

/** The records of a response file until the event that announces it is on disk: outside the heap, as lines that only have to be completed. */
export interface JudgedRecords {
  /** `shortAnswer` as returned by `makeShortAnswer`. */
  add(record: SettledRecord, shortAnswer: string): void;
  /** Replaces the records at these positions. */
  replace(others: ReadonlyMap<number, SettledRecord>): void;
  /**
   * Completes the lines as those of `file`; may be called once.
   * @param visit is called with every record in order and the offset of its line in all of them; returns the offset of the previous record
   */
  complete(file: ResponseFile, visit: (record: SettledRecord, offsetBytes: number) => number): readonly Buffer[];
}

/** What few records of a file have in other combinations. */
type Kind = Pick<SettledRecord, 'outcome' | 'isBilled' | 'isUnreadable' | 'model' | 'tier'>;

/** The numbers of a record: its kind, its usage (the first is -1 without one), the time of its answer, its place, and the lengths of parts of its line. */
const [KIND, USAGE, CREATED, OFFSET, LENGTH, LINE, ID, ANSWER, NUMBERS] = [0, 1, 6, 7, 8, 9, 10, 11, 12];
const CHUNK_RECORDS = 1 << 12;
const CHUNK_BYTES = 1 << 18;
/** A line begins with `["`, its custom_id follows. */
const ID_START = 2;

export function createJudgedRecords(): JudgedRecords {
  const numbers = createNumbers();
  const kinds = createKinds();
  const chunks = createChunks();

  function put(place: Place, record: SettledRecord, shortAnswer: string): void {
    const { chunk, start } = place;
    const { usage, location, customId } = record;
    const { bytes, used } = chunks.reserve(boundSettledLine(record, shortAnswer));
    const end = writeEarlyLine(bytes, used, record, shortAnswer);
    chunks.use(end);
    chunk[start + KIND] = kinds.add(record);
    chunk[start + USAGE] = usage === null ? -1 : usage.inputTokens;
    chunk[start + USAGE + 1] = usage?.cachedInputTokens ?? 0;
    chunk[start + USAGE + 2] = usage?.cacheWriteTokens ?? 0;
    chunk[start + USAGE + 3] = usage?.outputTokens ?? 0;
    chunk[start + USAGE + 4] = usage?.reasoningTokens ?? 0;
    chunk[start + CREATED] = record.createdSeconds ?? Number.NaN;
    chunk[start + OFFSET] = location.offsetBytes;
    chunk[start + LENGTH] = location.lengthBytes;
    chunk[start + LINE] = end - used;
    chunk[start + ID] = customId.length;
    chunk[start + ANSWER] = shortAnswer.length;
  }

  /** Visits the lines of a chunk. @returns the position after the last one */
  function forEachLine(bytes: Buffer, first: number, visit: (position: number, place: Place, end: number) => void): number {
    let position = first;
    for (let end = 0; end < bytes.length; position += 1) {
      const place = numbers.at(position);
      end += place.chunk[place.start + LINE] as number;
      visit(position, place, end);
    }
    return position;
  }

  return {
    add: (record, shortAnswer) => put(numbers.add(), record, shortAnswer),
    replace(others) {
      if (others.size === 0) return;
      let position = 0;
      for (const bytes of chunks.takeAll()) {
        let start = 0;
        position = forEachLine(bytes, position, (at, place, end) => {
          const other = others.get(at);
          if (other === undefined) chunks.copy(bytes.subarray(start, end));
          else put(place, other, '');
          start = end;
        });
      }
    },
    complete(file, visit) {
      const all = chunks.takeAll();
      let position = 0;
      let chunkOffsetBytes = 0;
      for (const bytes of all) {
        let start = 0;
        position = forEachLine(bytes, position, (_, { chunk, start: at }, end) => {
          const idStart = start + ID_START;
          const customId = bytes.toString('latin1', idStart, idStart + (chunk[at + ID] as number));
          const record = readRecord(chunk, at, kinds.read(chunk[at + KIND] as number), { customId, file });
          const previous = visit(record, chunkOffsetBytes + start);
          completeLine(bytes, end, { file: file.number, previous, answerCharacters: chunk[at + ANSWER] as number });
          start = end;
        });
        chunkOffsetBytes += bytes.length;
      }
      return all;
    },
  };
}

/** Memory that lines are written into, one after the other. */
function createChunks() {
  let full: Buffer[] = [];
  const current = { bytes: EMPTY, used: 0 };

  function takeCurrent(): readonly Buffer[] {
    return current.used === 0 ? [] : [current.bytes.subarray(0, current.used)];
  }

  function reserve(lengthBytes: number): Readonly<typeof current> {
    if (current.bytes.length - current.used < lengthBytes) {
      full.push(...takeCurrent());
      current.bytes = Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, lengthBytes));
      current.used = 0;
    }
    return current;
  }

  return {
    /** Where the next line, of at most this length, is to be written. Valid until the next call. */
    reserve,
    /** A line was written up to there. */
    use(end: number): void {
      current.used = end;
    },
    copy(line: Buffer): void {
      const { bytes, used } = reserve(line.length);
      current.used = used + line.copy(bytes, used);
    },
    /** All chunks, in order; none are left. */
    takeAll(): readonly Buffer[] {
      const all = [...full, ...takeCurrent()];
      full = [];
      current.bytes = EMPTY;
      current.used = 0;
      return all;
    },
  };
}

const EMPTY: Buffer = Buffer.alloc(0);

function readRecord(
  chunk: Float64Array,
  start: number,
  { outcome, isBilled, isUnreadable, model, tier }: Kind,
  { customId, file }: { readonly customId: string; readonly file: ResponseFile },
): SettledRecord {
  const number = (field: number) => chunk[start + field] as number;
  const createdSeconds = number(CREATED);
  return {
    customId,
    outcome,
    isBilled,
    isUnreadable,
    usage:
      number(USAGE) === -1
        ? null
        : {
            inputTokens: number(USAGE),
            cachedInputTokens: number(USAGE + 1),
            cacheWriteTokens: number(USAGE + 2),
            outputTokens: number(USAGE + 3),
            reasoningTokens: number(USAGE + 4),
          },
    model,
    tier,
    createdSeconds: Number.isNaN(createdSeconds) ? null : createdSeconds,
    lane: file.lane,
    run: file.run,
    location: { file: file.name, offsetBytes: number(OFFSET), lengthBytes: number(LENGTH) },
  };
}

/** Where the numbers of a record are. */
interface Place {
  readonly chunk: Float64Array;
  readonly start: number;
}

function createNumbers() {
  const chunks: Float64Array[] = [];
  let records = 0;
  const at = (position: number): Place => ({
    chunk: chunks[Math.floor(position / CHUNK_RECORDS)] as Float64Array,
    start: (position % CHUNK_RECORDS) * NUMBERS,
  });
  return {
    at,
    add(): Place {
      if (records % CHUNK_RECORDS === 0) chunks.push(new Float64Array(CHUNK_RECORDS * NUMBERS));
      records += 1;
      return at(records - 1);
    },
  };
}

/** Numbers the kinds of records; most records have the kind of the one before. */
function createKinds() {
  const kinds: Kind[] = [];
  const numbers = new Map<string, number>();
  let last = -1;
  return {
    read: (number: number) => kinds[number] as Kind,
    add({ outcome, isBilled, isUnreadable, model, tier }: Kind): number {
      const before = kinds[last];
      const isSame =
        before !== undefined &&
        before.outcome === outcome &&
        before.isBilled === isBilled &&
        before.isUnreadable === isUnreadable &&
        before.model === model &&
        before.tier === tier;
      if (isSame) return last;
      const name = JSON.stringify([outcome, isBilled, isUnreadable, model, tier]);
      last = numbers.get(name) ?? kinds.push({ outcome, isBilled, isUnreadable, model, tier }) - 1;
      numbers.set(name, last);
      return last;
    },
  };
}
