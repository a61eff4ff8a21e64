/** What is done to one life of the command. JSON: passed to a process in its environment, to a thread as its data. */
export interface SeamPlan {
  /** Only what happens below these folders counts; each ends with a slash. */
  readonly under: readonly string[];
  /** A new folder next to them for second names of replaced files, so that a power cut can undo the change; absent: no power cut is planned. */
  readonly backups?: string;
  /** The life ends at an operation, without a message. */
  readonly crash?: CrashPlan;
  /** The disk fails at an operation. */
  readonly refuse?: RefusePlan;
  /** The life stops at an operation until it is woken. */
  readonly freeze?: StepPlan;
  /** The wall clock jumps at an operation, by this many milliseconds. */
  readonly clock?: { readonly at: number; readonly byMs: number };
  /** Another place, like a container: pids from elsewhere mean nothing in it. */
  readonly place?: string;
  /** Where a process reports what happened; a thread tells its parent. */
  readonly reportPath?: string;
}

export interface StepPlan {
  /** The operation, from 1. */
  readonly at: number;
  /** Counts only operations that begin with this, for example `write live`; absent: all. */
  readonly on?: string;
}

export interface CrashPlan extends StepPlan {
  readonly moment: 'before' | 'during' | 'after';
}

export interface RefusePlan {
  /** For example `ENOSPC`. */
  readonly errno: string;
  /** Which of the operations that can fail with this error fails: counts from 1. */
  readonly at: number;
  /** Whether everything after it fails too. */
  readonly isLasting: boolean;
}

/** What a program does that outlives it, or asks of others; `read` opens for reading and is not a step. */
export type OperationKind = 'open' | 'read' | 'write' | 'sync' | 'truncate' | 'rename' | 'link' | 'remove' | 'mkdir' | 'send';

/** What a life did until its end. */
export interface SeamReport {
  /** Operations in order, for example `write events.jsonl`, `send POST /v1/batches`. */
  readonly operations: readonly string[];
  /** What happened to it: the operation at which it crashed, failed or froze, or at which the clock jumped. */
  readonly fired: readonly string[];
  /** What a power cut at this moment could lose. */
  readonly unsynced: Unsynced;
}

/** What was not synced. */
export interface Unsynced {
  /** Files with bytes after the last sync, by inode: their length at that sync. */
  readonly files: readonly { readonly inode: number; readonly syncedBytes: number }[];
  /** Changes of names whose folder was not synced, in order. */
  readonly names: readonly NameChange[];
}

/** How to undo it: `backup` is a link to the file that was at `path`, null if there was none. */
export type NameChange =
  | { readonly type: 'made'; readonly path: string; readonly backup: null }
  | { readonly type: 'renamed'; readonly from: string; readonly path: string; readonly backup: string | null }
  | { readonly type: 'removed'; readonly path: string; readonly backup: string };

/** What a thread has to live through. */
export interface ThreadLife {
  readonly plan: SeamPlan;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** The pid it believes to have. */
  readonly pid: number;
}

/** Messages of a thread to its parent: nothing follows `crashed`; `frozen` is followed by another end once it is woken. */
export type ThreadMessage =
  | { readonly type: 'crashed' | 'frozen'; readonly report: SeamReport }
  | { readonly type: 'ended'; readonly report: SeamReport; readonly exitCode: number; readonly stdout: string; readonly stderr: string };

/** What a thread gets for all its lives. */
export interface ThreadData {
  /** The program's main module, as a URL. */
  readonly program: string;
  /** Which pids are alive: one number each, from `FIRST_PID` on; a frozen thread waits for its own to become 2. */
  readonly pids: Int32Array;
}

/** Above every pid of Linux. */
export const FIRST_PID = 1 << 23;
