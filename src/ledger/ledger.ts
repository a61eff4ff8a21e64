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
import type { RunFiles } from './runs.ts';
import type { ShardWriter } from './shard-writer.ts';

export type { ProcessIdentity } from './disk/process-identity.ts';
export type { RecordedCall, ResponseFile } from './response-file.ts';
export type { JudgedAnswer, StoredAnswer } from './responses/answers.ts';
export type { LiveLine } from './responses/live-file.ts';
export type { TableAnswer } from './responses/short-answer.ts';
export type { ShardWriter } from './shard-writer.ts';

/** Stands for the live lane where shards have their number; shards have six digits. */
export const LIVE_QUEUE = 0xffffff;

export interface LedgerOptions {
  /** The state directory, for example `.rowmill/<job>`. */
  readonly directory: string;
  /** Who answers: a directory with answers of another origin is refused. */
  readonly origin: string;
  /** The job's name, for messages. */
  readonly job: string;
  /** `write` makes the directory when needed, takes the lock and repairs; `read` changes nothing and works while a run is going on. */
  readonly access: 'write' | 'read';
  readonly checkAnswer: CheckAnswer;
  /** Names the rules `checkAnswer` applies: stored answers judged by other rules are judged again. */
  readonly rulesHash: string;
  /** Whether every recorded response file is read and compared with its hash; absent: yes. Without it altered bytes may be taken for answers. */
  readonly hashesResponses?: boolean | undefined;
  /** Opens the state as it was when this run gave way to the next one; for reading only. Absent: as it is. */
  readonly asOfRun?: string;
  /** Sees every record of every recorded file exactly once, in order: at the opening, and later as answers arrive. */
  readonly visit: VisitRecord;
  readonly clock: () => Date;
  /** A fresh random id of letters, digits, `-` and `_`. */
  readonly randomId: () => string;
  readonly processIdentity: ProcessIdentity;
  /** What to do when another process holds the lock; for write access. Without it such a holder is watched for as long as it takes to judge it. */
  readonly waiting?: LockWaiting;
  /** What to do with a state directory that is a copy of another one; for write access. Without it such a directory is refused. */
  readonly copies?: CopyPolicy | undefined;
  /** Absent: as usual. */
  readonly heartbeat?: Heartbeat | undefined;
  readonly signal: AbortSignal;
}

/** What is said and asked of a state directory that does not lie where it lay. */
export interface CopyPolicy {
  /** Whether a copy is to be a state of its own. `question` says what that means. */
  readonly adopt: (question: string) => Promise<boolean>;
  readonly tell: (message: string) => void;
}

/** A job's state directory, open. What changes it needs write access and returns only when the change is durable. */
export interface Ledger {
  readonly directory: string;
  /** The directory's random id; batches carry it in their metadata. */
  readonly stateId: string;
  readonly origin: string;
  /** What is known of every request, by key. */
  readonly keys: KeyIndex;
  /** What the events say so far. */
  readonly fold: LedgerFold;
  /** All recorded response files, in order. */
  readonly files: readonly ResponseFile[];
  /** Lines that were counted but are no answers, by kind, over the ledger's life. */
  readonly anomalies: ReadonlyMap<string, number>;
  /** The same for the files of one run. */
  anomaliesOfRun(run: string): ReadonlyMap<string, number>;
  /** Lines in the files of a run's batches that answer nothing of ours, with what a price of theirs needs. Read from the disk. */
  readForeignLines(run: string, signal: AbortSignal): AsyncIterable<Parameters<CostOf>[0]>;
  /** What a line means by the job's rules, and by what its row asked. */
  readonly decide: DecideLine;
  /**
   * Ids of requests whose answer was ok when it was last judged, and is not by the rules of now: the job's changed, or the program's. Requests
   * that no row asks any more are among them.
   */
  readonly noLongerOk: ReadonlySet<number>;
  /** Names of response files whose bytes are no longer those that were recorded, by number. Their requests are held as `unknown`. */
  readonly altered: ReadonlyMap<number, string>;
  /** Why a key whose outcome is `unknown` is not asked again by itself, in words; null while it may be. */
  explainHold(id: number): string | null;
  /** The files of single runs. */
  readonly runFiles: RunFiles;

  /**
   * Announces an event: synced to the disk together with others of the same few milliseconds, then part of `fold`, then resolved.
   * @throws DiskError when the disk failed, then and for ever after; LockHeldError when another process took the lock over
   */
  append(event: Event): Promise<void>;

  /** Whether this process may still write here, and so may still cause costs. @throws LockHeldError when another one has taken the lock over */
  assertHeld(): void;

  /** The id of the next shard: six digits. */
  nextShardId(): string;
  createShardWriter(shard: string): ShardWriter;
  /** Custom ids of a shard in the order of its lines, read from the disk. */
  readShardIds(shard: string): Promise<readonly string[]>;
  shardPath(shard: string): string;

  responsePath(name: string): string;
  /** Where to download a file to before `recordResponse` takes it. */
  createTemporaryResponsePath(name: string): string;
  /** Takes a downloaded file in: under its name, announced, every line settled. A file of this batch and kind that is recorded already stays. */
  recordResponse(options: RecordResponseOptions): Promise<ResponseFile>;
  /**
   * Says that a final batch has nothing more to give. Requests of its shard that are neither answered nor rejected come to an end as
   * expired, cancelled or missing. After `failed` nothing was executed: the shard stands uploaded again, the rest of its requests stays in
   * flight in it until it is sent again or retired. A batch that is finished already stays as it is.
   * @returns how many requests came to an end without an answer
   */
  finishBatch(options: FinishBatchOptions): Promise<{ readonly missing: number }>;

  /**
   * Appends response lines of live calls to the run's live file. Resolves once they are synced to the disk and settled: only then they count.
   * A line whose id is recorded for its custom_id already is the same call, delivered again, and is left out.
   * @throws DiskError when the disk failed, then and for ever after
   */
  recordLines(lines: readonly LiveLine[]): Promise<void>;
  /** Says whether the live lane holds a key's request: the key is in flight meanwhile. Not kept over a restart. */
  markQueued(id: number, isQueued: boolean): void;

  /** What is stored for a key: the winning line, else the latest. Reads one line from the disk. */
  readAnswer(id: number): StoredAnswer;
  /** What a table says of it: from its record, where that holds the answer, else from its line. */
  readTableAnswer(id: number): TableAnswer;
  /** The latest answer of a key that was judged invalid or truncated, in any run of this generation; null without one. */
  readJudgedAnswer(id: number): JudgedAnswer | null;
  /** All records of a key in its latest run, newest first. */
  readHistory(id: number): readonly SettledRecord[];
  /** Ids of the lines that are recorded for one of our requests in its latest run, as its provider or the live lane named them. */
  readLineIds(customId: string): readonly string[];
  /** All records of a run, those of extra batches and older generations too, in chunks. */
  recordsOfRun(run: string): AsyncIterable<readonly SettledRecord[]>;

  /** Waits for what was announced, then gives the lock back. */
  close(): Promise<void>;
  /**
   * Closes it; a directory in which no run has come to anything is removed again, as if it had never been opened.
   * @param leave is called where it stays, when nothing is to be added any more, and before the lock is given back
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
  /** The batch object's own usage, as it came. */
  readonly usage: unknown;
  /** Whether the batch's own counts say that requests without a line were not executed. */
  readonly isMissingUnexecuted?: boolean;
  /** Ids of its files at the provider that were taken whole; absent: of none. */
  readonly fileIds?: readonly string[];
}
