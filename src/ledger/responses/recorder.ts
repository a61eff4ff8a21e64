import path from 'node:path';
import type { DecideLine } from '../../core/response-line.ts';
import { listNames } from '../disk/durable-files.ts';
import type { LedgerFold } from '../events/fold.ts';
import type { LedgerState } from '../ledger-state.ts';
import { type EventOf, findBatchOfName, isResponseName, makeResponseFile, type ResponseFile } from '../response-file.ts';
import { type JudgedFile, judgeFile } from './judge-file.ts';
import type { SettledIndex } from './settled-index.ts';

/** A whole file in `responses/` that no event records yet. */
export interface FoundFile {
  readonly name: string;
  readonly batchId: string;
  /** Unix seconds. */
  readonly createdSeconds: number;
}

export interface Recorder {
  /** Judges a file's lines, then announces the file. A file that is already recorded stays as it is. */
  record(found: FoundFile): Promise<ResponseFile>;
  /** Records every batch file that a crash left without its event, or that was put there by hand. */
  recordLeftovers(): Promise<void>;
  /** Applies the records of the file whose event has just become durable. */
  takeIn(file: ResponseFile): void;
}

export function createRecorder(options: {
  /** The `responses/` directory. */
  readonly directory: string;
  readonly state: LedgerState;
  readonly settled: SettledIndex;
  readonly decide: DecideLine;
  readonly signal: AbortSignal;
  readonly announce: (event: EventOf<'response-recorded'>) => Promise<void>;
}): Recorder {
  const { state } = options;
  /** Judged files whose event is being written to disk. */
  const judgedByName = new Map<string, JudgedFile>();
  const recording = new Map<string, Promise<ResponseFile>>();
  /** One file after the other: what is known about its lines is held until its event is on disk, so parallel files would all be held. */
  let before: Promise<unknown> = Promise.resolve();

  async function judgeAndAnnounce({ name, batchId, createdSeconds }: FoundFile): Promise<ResponseFile> {
    const file = makeResponseFile(state.fold, { file: name, batchId, bytes: 0, lines: 0, createdSeconds }, 0);
    const responsePath = path.join(options.directory, name);
    const judged = await judgeFile({ path: responsePath, file, decide: options.decide, signal: options.signal });
    judgedByName.set(name, judged);
    const { bytes, lines, sha256 } = judged;
    await options.announce({ type: 'response-recorded', file: name, batchId, bytes, lines, sha256, createdSeconds });
    return findRecorded(name) as ResponseFile;
  }

  function findRecorded(name: string): ResponseFile | undefined {
    return state.files.findLast((file) => file.name === name);
  }

  async function record(found: FoundFile): Promise<ResponseFile> {
    const recorded = findRecorded(found.name);
    if (recorded !== undefined) return recorded;
    const begun = recording.get(found.name);
    if (begun !== undefined) return begun;
    const promise = before.then(() => judgeAndAnnounce(found)).finally(() => recording.delete(found.name));
    before = promise.catch(() => undefined);
    recording.set(found.name, promise);
    return promise;
  }

  return {
    record,
    async recordLeftovers() {
      const recorded = new Set(state.files.map((file) => file.name));
      for (const name of listNames(options.directory)) {
        if (!isResponseName(name) || recorded.has(name)) continue;
        const { batchId, batch } = findBatchOfName(name, state.fold);
        // Its batch may still be adopted for a create whose outcome is open; then the file is downloaded again, as that batch's.
        if (batch === null && hasOpenCreate(state.fold)) continue;
        const createdSeconds = batch === null ? 0 : Math.floor(Date.parse(batch.submittedAt) / 1000);
        await record({ name, batchId, createdSeconds });
      }
    },
    takeIn(file) {
      const judged = judgedByName.get(file.name) as JudgedFile;
      judgedByName.delete(file.name);
      options.settled.append(file, judged);
    },
  };
}

function hasOpenCreate({ shards }: LedgerFold): boolean {
  return [...shards.values()].some(({ status }) => status === 'creating' || status === 'create-unknown');
}
