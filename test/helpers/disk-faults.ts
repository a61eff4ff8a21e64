import path from 'node:path';
import { type Operation, original, patchDisk } from '../../src/prove/seam/patch-fs.ts';
import type { OperationKind } from '../../src/prove/seam/plan.ts';
import { makeRefusal, REFUSED } from '../../src/prove/seam/refusal.ts';

/** One way in which the disk of this process fails. */
export interface DiskFault {
  /** For example `ENOSPC`. */
  readonly errno: string;
  /** Which of the operations that may fail so does: counts from 1. */
  readonly nth: number;
  /** The operations that may; those this error is known from, unless said otherwise. */
  readonly operations?: readonly OperationKind[];
  /** The first to fail begins so, for example `write events`; `nth` counts those that do. */
  readonly first?: string;
  /** Whether everything after it fails too, until room is made. */
  readonly isLasting?: boolean;
  /** Only paths below it count. */
  readonly under: string;
  /** Paths that hold this text do not. */
  readonly except?: string;
}

export interface BrokenDisk {
  /** What has failed so far, for example `write events.jsonl`. */
  readonly fired: readonly string[];
  /** The disk is well again. */
  mend(): void;
}

interface Plan extends DiskFault {
  /** What removing files has given back to a full disk. */
  roomBytes: number;
  readonly may: ReadonlySet<OperationKind>;
  readonly fired: string[];
  seen: number;
}

const FULL: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT']);
let plan: Plan | null = null;

await patchDisk({
  isWatched: (file) => plan !== null && file.startsWith(plan.under) && (plan.except === undefined || !file.includes(plan.except)),
  begin: (operation) => (plan === null || operation.kind === 'send' ? null : refuse(plan, operation)),
  meanwhile: () => undefined,
  end: () => undefined,
});

/** Lets one operation of this process fail, and in `isLasting` every one behind it. */
export function breakDisk(fault: DiskFault): BrokenDisk {
  const mine: Plan = { ...fault, may: new Set(fault.operations ?? REFUSED[fault.errno]), fired: [], seen: 0, roomBytes: 0 };
  plan = mine;
  return {
    fired: mine.fired,
    mend() {
      if (plan === mine) plan = null;
    },
  };
}

/** The error that an operation comes to; null where it goes well. */
function refuse(mine: Plan, operation: Operation): Error | null {
  const { kind, path: file, bytes } = operation;
  if (kind === 'remove' && mine.seen >= mine.nth && FULL.has(mine.errno)) {
    const found = original.lstatSync(file, { throwIfNoEntry: false });
    if (found?.isFile()) mine.roomBytes += found.size;
  }
  if (!mine.may.has(kind)) return null;
  const what = `${kind} ${path.basename(file)}`;
  if (mine.first !== undefined && mine.fired.length === 0 && !what.startsWith(mine.first)) return null;
  mine.seen += 1;
  if (mine.seen < mine.nth || (mine.seen > mine.nth && mine.isLasting !== true)) return null;
  if (kind === 'write' && mine.roomBytes > bytes) {
    mine.roomBytes -= bytes;
    return null;
  }
  if (kind !== 'write' && mine.roomBytes > 0) return null;
  mine.fired.push(what);
  return makeRefusal(mine.errno, operation);
}
