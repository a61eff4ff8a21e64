import path from 'node:path';
import { LedgerError } from '../../core/errors.ts';
import type { SettledRecord } from '../../core/settled.ts';
import type { AnswerLocation } from '../answer-location.ts';
import type { LockWaiting } from '../disk/holder-watch.ts';
import type { LedgerState } from '../ledger-state.ts';
import type { ResponseFile } from '../response-file.ts';
import type { JudgedFile } from './judge-file.ts';
import { makeSettledLine, parseSettledLines, readSettledLine, readTableAnswer, type SettledLine } from './settled-line.ts';
import { type BlockPlace, SettledStore } from './settled-store.ts';
import type { TableAnswer } from './short-answer.ts';

/** The records of all recorded files, kept in `settled.jsonl` and applied to the ledger's state as they arrive. */
export interface SettledIndex {
  /** Applies the records of the next recorded file from `settled.jsonl`. @returns false if it does not have them, or not any more */
  restore(file: ResponseFile, sha256: string): boolean;
  /** Applies the just-settled records of the next recorded file. */
  append(file: ResponseFile, settled: JudgedFile): void;
  /** Starts applying a part of a live file whose lines are still to come; it is finished before anything else is recorded. */
  grow(file: ResponseFile): GrowingPart;
  /** Says that all recorded files were applied: no more will be read back. */
  endReading(): void;
  /** The answer in the record at an offset, for many calls; null if the record is about another line, or does not contain its answer. */
  readTableAnswer(settledOffset: number, location: AnswerLocation): TableAnswer | null;
  /** A key's records of this generation, newest first, starting at the offset of its newest one. */
  readHistory(settledOffset: number): Generator<SettledRecord>;
  /** All records of a run, in the order of recording. */
  recordsOfRun(run: string): AsyncGenerator<readonly SettledRecord[]>;
  close(): void;
}

export interface GrowingPart {
  take(record: SettledRecord, shortAnswer: string): void;
  /** The part is complete: `file` has its final size. */
  finish(sha256: string): void;
}

/** The start of the block of a live part has this length, so that records can be placed before the part is complete. */
const LIVE_HEADER_BYTES = 512;

export function openSettledIndex(options: {
  readonly directory: string;
  readonly access: 'write' | 'read';
  readonly rulesHash: string;
  readonly state: LedgerState;
  readonly waiting?: LockWaiting | undefined;
}): SettledIndex {
  const { state } = options;
  const path_ = path.join(options.directory, 'settled.jsonl');
  const store = new SettledStore({ file: path_, access: options.access, tell: options.waiting?.tell ?? (() => undefined) });
  const places: BlockPlace[] = [];

  const makeSource = (file: ResponseFile, sha256: string) => ({
    file: file.name,
    bytes: file.bytes,
    sha256,
    rules: options.rulesHash,
    ...(file.lane === 'live' ? { headerBytes: LIVE_HEADER_BYTES } : {}),
  });

  function readLine(settledOffset: number, read: (offsetBytes: number) => string): SettledLine {
    try {
      return JSON.parse(read(settledOffset)) as SettledLine;
    } catch (cause) {
      const message = `there is no longer a record at byte ${settledOffset}: the file changed while it was read; run the command again`;
      throw new LedgerError(message, { file: path_, line: 0 }, { cause });
    }
  }

  const fileOf = (line: SettledLine) => state.files[line[9] - 1] as ResponseFile;

  return {
    restore(file, sha256) {
      const found = store.readBlock(makeSource(file, sha256));
      if (found === null) return false;
      const take = state.openIntake(file, found.content.anomalies);
      let position = 0;
      for (const chunk of store.readChunks(found.place)) {
        let { offsetBytes } = chunk;
        let start = 0;
        for (const line of parseSettledLines(chunk.lines)) {
          take(readSettledLine(line, file), offsetBytes, position < found.content.repeats);
          const next = chunk.lines.indexOf('\n', start) + 1;
          offsetBytes += next - start;
          start = next;
          position += 1;
        }
      }
      places.push(found.place);
      return true;
    },
    append(file, settled) {
      const anomalies = Object.fromEntries([...settled.anomalies].toSorted());
      const take = state.openIntake(file, anomalies);
      const block = store.appendBlock(makeSource(file, settled.sha256), { repeats: settled.repeats.length, anomalies });
      for (const record of settled.repeats) block.write(makeSettledLine(record, '', file.number, take(record, block.offsetBytes, true)));
      const start = block.offsetBytes;
      block.add(settled.records.complete(file, (record, offsetBytes) => take(record, start + offsetBytes, false)));
      places.push(block.finish());
    },
    grow(file) {
      const take = state.openIntake(file, {});
      const block = store.growBlock(LIVE_HEADER_BYTES);
      places.push(block.place);
      return {
        take: (record, shortAnswer) =>
          block.write(makeSettledLine(record, shortAnswer, file.number, take(record, block.offsetBytes, false))),
        finish: (sha256) => block.finish(makeSource(file, sha256), { repeats: 0, anomalies: {} }),
      };
    },
    endReading: () => store.endReading(),
    readTableAnswer(settledOffset, location) {
      const line = readLine(settledOffset, (offsetBytes) => store.readHeldLine(offsetBytes));
      const file = fileOf(line);
      const isOfLine = line[7] === location.offsetBytes && file.name === state.files[location.file - 1]?.name;
      return isOfLine ? readTableAnswer(line, file) : null;
    },
    *readHistory(settledOffset) {
      for (let offset = settledOffset; offset >= 0; ) {
        const line = readLine(offset, (offsetBytes) => store.readLine(offsetBytes));
        yield readSettledLine(line, fileOf(line));
        offset = line[10];
      }
    },
    async *recordsOfRun(run) {
      for (const [position, place] of places.entries()) {
        const file = state.files[position] as ResponseFile;
        if (file.run !== run) continue;
        for (const chunk of store.readChunks(place)) yield parseSettledLines(chunk.lines).map((line) => readSettledLine(line, file));
      }
    },
    close: () => store.close(),
  };
}
