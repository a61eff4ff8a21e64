import type { Event, RejectedRequest } from '../core/event.ts';
import type { CheckAnswer } from '../core/outcome.ts';
import type { DecideLine } from '../core/response-line.ts';
import type { CostOf, SettledRecord } from '../core/settled.ts';
import type { Heartbeat, LockWaiting } from './disk/holder-watch.ts';
import type { ProcessIdentity } from './disk/process-identity.ts';
import type { LedgerFold } from './events/fold.ts';
import type { KeyIndex } from './key-index.ts';
import type { ResponseFile, ResponseKind, VisitRecord } from './response-file.ts';
import type { JudgedAnswer, StoredAnswer } from './responses/answers.ts';
import type { LiveLine } from './responses/live-file.ts';
import type { TableAnswer } from './responses/short-answer.ts';
import type { RowKeysFile } from './row-keys-file.ts';
import type { RunFiles } from './runs.ts';
import type { ShardWriter } from './shard-writer.ts';

export type { ProcessIdentity } from './disk/process-identity.ts';
export type { RecordedCall, ResponseFile } from './response-file.ts';
export type { JudgedAnswer, StoredAnswer } from './responses/answers.ts';
export type { LiveLine } from './responses/live-file.ts';
export type { TableAnswer } from './responses/short-answer.ts';
export type { ShardWriter } from './shard-writer.ts';

/** Represents the live lane where shards have their number; shards have six digits. */
export const LIVE_QUEUE = 0xffffff;

export interface LedgerOptions {
  /** The state directory, for example `.rowmill/<job>`. */
  readonly directory: string;
  /** Who answers: a directory with answers of another origin is refused. */
  readonly origin: string;
  /** The job's name, for messages. */
  readonly job: string;
  /** `write` creates the directory if needed, takes the lock and repairs; `read` changes nothing and works during a run. */
  readonly access: 'write' | 'read';
  readonly checkAnswer: CheckAnswer;
  /** Identifies the rules of `checkAnswer`: stored answers judged by other rules are judged again. */
  readonly rulesHash: string;
  /** Whether every recorded response file is read and compared with its hash; absent: yes. Without it altered bytes may be used as answers. */
  readonly hashesResponses?: boolean | undefined;
  /** Opens the state as it was when the run after this one started; read-only. Absent: as it is now. */
  readonly asOfRun?: string;
  /** Called with every record of every recorded file exactly once, in order: at the opening, and later as answers arrive. */
  readonly visit: VisitRecord;
  readonly clock: () => Date;
  /** A fresh random id of letters, digits, `-` and `_`. */
  readonly randomId: () => string;
  readonly processIdentity: ProcessIdentity;
  /** What to do if another process holds the lock; for write access. Without it such a holder is watched as long as it takes to judge it. */
  readonly waiting?: LockWaiting;
  /** What to do with a state directory that is a copy of another one; for write access. Without it such a directory is refused. */
  readonly copies?: CopyPolicy | undefined;
  /** Absent: the default. */
  readonly heartbeat?: Heartbeat | undefined;
  readonly signal: AbortSignal;
}

/** What is reported and asked about a state directory that is not where it was. */
export interface CopyPolicy {
  /** Whether a copy should become a separate state. `question` says what that means. */
  readonly adopt: (question: string) => Promise<boolean>;
  readonly tell: (message: string) => void;
}

/** A job's open state directory. Methods that change it need write access and return only when the change is durable. */
export interface Ledger {
  readonly directory: string;
  /** The directory's random id; batches carry it in their metadata. */
  readonly stateId: string;
  readonly origin: string;
  /** What is known about every request, by key. */
  readonly keys: KeyIndex;
  /** The state computed from the events so far. */
  readonly fold: LedgerFold;
  /** All recorded response files, in order. */
  readonly files: readonly ResponseFile[];
  /** Lines that were counted but are not answers, by kind, over the ledger's lifetime. */
  readonly anomalies: ReadonlyMap<string, number>;
  /** The same for the files of one run. */
  anomaliesOfRun(run: string): ReadonlyMap<string, number>;
  /** Lines in the files of a run's batches that answer nothing of ours, with what their price needs. Read from disk. */
  readForeignLines(run: string, signal: AbortSignal): AsyncIterable<Parameters<CostOf>[0]>;
  /** The meaning of a line by the job's rules, and by the row's request. */
  readonly decide: DecideLine;
  /**
   * Ids of requests whose answer was ok when last judged, and is not by the current rules, because the job's or the program's have changed.
   * Includes requests of rows that are gone.
   */
  readonly noLongerOk: ReadonlySet<number>;
  /** Names of altered response files, by number. Their requests are held as `unknown`. */
  readonly altered: ReadonlyMap<number, string>;
  /** Why a key whose outcome is `unknown` is not sent again automatically, in words; null if it may be. */
  explainHold(id: number): string | null;
  /** The files of single runs. */
  readonly runFiles: RunFiles;
  /** The keys of the rows of its table, as the last run found them. */
  readonly rowKeys: RowKeysFile;

  /**
   * Announces an event: synced to disk together with others of the same few milliseconds, then part of `fold`, then resolved.
   * @throws DiskError if the disk failed, then and from then on; LockHeldError if another process took over the lock
   */
  append(event: Event): Promise<void>;

  /** Whether this process may still write here, and so may still spend. @throws LockHeldError if another one has taken over the lock */
  assertHeld(): void;

  /** The id of the next shard: six digits. */
  nextShardId(): string;
  createShardWriter(shard: string): ShardWriter;
  /** Custom ids of a shard in the order of its lines, read from disk. */
  readShardIds(shard: string): Promise<readonly string[]>;
  shardPath(shard: string): string;

  responsePath(name: string): string;
  /** Where to download a file to before `recordResponse` takes it. */
  createTemporaryResponsePath(name: string): string;
  /** Adds a downloaded file: under its name, announced, every line settled. A file of this batch and kind that is already recorded stays. */
  recordResponse(options: RecordResponseOptions): Promise<ResponseFile>;
  /**
   * Records that a final batch has nothing more to deliver. Requests of its shard that are neither answered nor rejected end as
   * expired, cancelled or missing. After `failed` nothing was executed: the shard is `uploaded` again, and the rest of its requests stays in
   * flight in it until it is sent again or retired. A batch that is already finished stays as it is.
   * @returns how many requests ended without an answer
   */
  finishBatch(options: FinishBatchOptions): Promise<{ readonly missing: number }>;

  /**
   * Appends response lines of live calls to the run's live file. Resolves once they are synced to disk and settled: only then they count.
   * A line whose id is already recorded for its custom_id is the same call, delivered again, and is skipped.
   * @throws DiskError if the disk failed, then and from then on
   */
  recordLines(lines: readonly LiveLine[]): Promise<void>;
  /** Sets whether the live lane holds a key's request: the key is in flight meanwhile. Not kept over a restart. */
  markQueued(id: number, isQueued: boolean): void;

  /** What is stored for a key: the winning line, else the latest. Reads one line from disk. */
  readAnswer(id: number): StoredAnswer;
  /** The same for a table: from its record, if that has the answer, else from its line. */
  readTableAnswer(id: number): TableAnswer;
  /** The latest answer of a key that was judged invalid or truncated, in any run of this generation; null without one. */
  readJudgedAnswer(id: number): JudgedAnswer | null;
  /** All records of a key in its latest run, newest first. */
  readHistory(id: number): readonly SettledRecord[];
  /** Ids of the lines recorded for one of our requests in its latest run, as assigned by its provider or the live lane. */
  readLineIds(customId: string): readonly string[];
  /** All records of a run, including those of extra batches and older generations, in chunks. */
  recordsOfRun(run: string): AsyncIterable<readonly SettledRecord[]>;

  /** Waits for what was announced, then releases the lock. */
  close(): Promise<void>;
  /**
   * Closes it; a directory in which no run has achieved anything is removed, as if it had never been opened.
   * @param leave called if the directory stays, once nothing more will be added and before the lock is released
   */
  closeUnused(leave: () => Promise<void>): Promise<void>;
}

export interface RecordResponseOptions {
  readonly batchId: string;
  readonly kind: ResponseKind;
  /** The downloaded file; it is moved. */
  readonly temporaryPath: string;
  /** Unix seconds: the batch's `created_at`. */
  readonly createdSeconds: number;
}

export interface FinishBatchOptions {
  readonly batchId: string;
  readonly status: string;
  readonly rejected: readonly RejectedRequest[];
  /** The usage of the batch object, as received. */
  readonly usage: unknown;
  /** Whether the batch's own counts show that requests without a line were not executed. */
  readonly isMissingUnexecuted?: boolean;
  /** Ids of its files at the provider that were downloaded completely; absent: none. */
  readonly fileIds?: readonly string[];
}
