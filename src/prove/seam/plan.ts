/** What is done to one life of the command. JSON: it goes to a process in its environment, to a thread as its data. */
export interface SeamPlan {
  /** Only what happens below these folders counts; each with a slash at its end. */
  readonly under: readonly string[];
  /** A new folder beside them for second names of what is replaced, so that a power cut can undo it; absent: none is to come. */
  readonly backups?: string;
  /** The life ends at an operation, without another word. */
  readonly crash?: CrashPlan;
  /** The disk refuses an operation. */
  readonly refuse?: RefusePlan;
  /** The life stands still at an operation, until it is woken. */
  readonly freezeAt?: number;
  /** The wall clock jumps at an operation, by so many milliseconds. */
  readonly clock?: { readonly at: number; readonly byMs: number };
  /** Another place, as a container is: pids of elsewhere mean nothing in it. */
  readonly place?: string;
  /** Where a process tells what has happened; a thread tells its parent. */
  readonly reportPath?: string;
}

export interface CrashPlan {
  /** The operation, from 1. */
  readonly at: number;
  /** Only operations that begin so count, for example `write live`; absent: all. */
  readonly on?: string;
  readonly moment: 'before' | 'during' | 'after';
}

export interface RefusePlan {
  /** For example `ENOSPC`. */
  readonly errno: string;
  /** Which of the operations that this error is known from fails: counts from 1. */
  readonly at: number;
  /** Whether everything behind it fails too. */
  readonly isLasting: boolean;
}

/** What a program does that outlives it, or asks of others; `read` opens for reading and is no step. */
export type OperationKind = 'open' | 'read' | 'write' | 'sync' | 'truncate' | 'rename' | 'link' | 'remove' | 'mkdir' | 'send';

/** What a life did until its end. */
export interface SeamReport {
  /** Operations in order, for example `write events.jsonl`, `send POST /v1/batches`. */
  readonly operations: readonly string[];
  /** What befell it: the operation at which it crashed, was refused, froze, or at which the clock jumped. */
  readonly fired: readonly string[];
  /** What a power cut at this moment could take. */
  readonly unsynced: Unsynced;
}

/** What the disk was not told to keep. */
export interface Unsynced {
  /** Files with bytes behind the last sync, by inode: how many there were at that sync. */
  readonly files: readonly { readonly inode: number; readonly syncedBytes: number }[];
  /** Changes of names whose folder was not synced, in order. */
  readonly names: readonly NameChange[];
}

/** What undoes it: `backup` is a link to the file that stood at `path`, null where none did. */
export type NameChange =
  | { readonly type: 'made'; readonly path: string; readonly backup: null }
  | { readonly type: 'renamed'; readonly from: string; readonly path: string; readonly backup: string | null }
  | { readonly type: 'removed'; readonly path: string; readonly backup: string };

/** What a thread is to live through. */
export interface ThreadLife {
  readonly plan: SeamPlan;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** The pid it believes to have. */
  readonly pid: number;
}

/** What a thread tells its parent: nothing follows `crashed`; `frozen` is followed by another end, once it is woken. */
export type ThreadMessage =
  | { readonly type: 'crashed' | 'frozen'; readonly report: SeamReport }
  | { readonly type: 'ended'; readonly report: SeamReport; readonly exitCode: number; readonly stdout: string; readonly stderr: string };

/** What a thread is given for all its lives. */
export interface ThreadData {
  /** The program's main module, as a URL. */
  readonly program: string;
  /** Which of the pids live: one number each, from `FIRST_PID` on; a frozen thread waits for its own to become 2. */
  readonly pids: Int32Array;
}

/** Above every pid of Linux. */
export const FIRST_PID = 1 << 23;
