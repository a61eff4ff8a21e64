import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import path from 'node:path';
import { getSystemErrorMap } from 'node:util';

/** What a program asks of a disk, besides reading what it has open. */
export type DiskOperation = 'open' | 'read' | 'write' | 'sync' | 'truncate' | 'rename' | 'link' | 'mkdir';

/** One way in which a disk fails. */
export interface DiskFault {
  /** For example `ENOSPC`. */
  readonly errno: string;
  /** Which of the operations that may fail so does: counts from 1. */
  readonly nth: number;
  /** The operations that may; those this error is known from, unless said otherwise. */
  readonly operations?: readonly DiskOperation[];
  /** The first to fail begins so, for example `write events`; `nth` counts those that do. */
  readonly first?: string;
  /** Whether everything after it fails too, until room is made. */
  readonly isLasting?: boolean;
  /** Only paths below it count. */
  readonly under: string;
  /** Paths that hold this text do not. */
  readonly except?: string;
  /** Where a process writes, in JSON, what has failed: for one that is looked at from outside. */
  readonly reportPath?: string;
}

export interface BrokenDisk {
  /** What has failed so far, for example `write events.jsonl`. */
  readonly fired: readonly string[];
  /** How many operations that may fail were seen, those that went well included. */
  readonly seen: number;
  /** The disk is well again. */
  mend(): void;
}

/** What each error is known from. A process without descriptors can do everything but open. */
export const OPERATIONS_OF: Readonly<Record<string, readonly DiskOperation[]>> = {
  ENOSPC: ['open', 'write', 'sync', 'rename', 'link', 'mkdir'],
  EDQUOT: ['open', 'write', 'sync', 'rename', 'link', 'mkdir'],
  EIO: ['write', 'sync', 'truncate', 'rename'],
  EMFILE: ['open', 'read'],
  EACCES: ['open', 'rename', 'link', 'mkdir'],
  EROFS: ['open', 'rename', 'link', 'mkdir'],
  ENAMETOOLONG: ['open', 'rename', 'link', 'mkdir'],
};

interface Plan extends DiskFault {
  /** What removing files has given back to a full disk. */
  roomBytes: number;
  readonly may: ReadonlySet<DiskOperation>;
  readonly fired: string[];
  seen: number;
}

let plan: Plan | null = null;
const pathOfDescriptor = new Map<number, string>();
const pathOfHandle = new WeakMap<object, string>();

/** Lets one operation of this process fail, and in `isLasting` every one behind it. */
export function breakDisk(fault: DiskFault): BrokenDisk {
  patch();
  const mine: Plan = { ...fault, may: new Set(fault.operations ?? OPERATIONS_OF[fault.errno]), fired: [], seen: 0, roomBytes: 0 };
  plan = mine;
  return {
    fired: mine.fired,
    get seen() {
      return mine.seen;
    },
    mend() {
      if (plan === mine) plan = null;
    },
  };
}

/** The error that an operation on this path comes to; null where it goes well. */
function fail(
  operation: DiskOperation,
  file: unknown,
  { syscall, bytes }: { readonly syscall: string; readonly bytes: number },
): NodeJS.ErrnoException | null {
  if (plan === null || typeof file !== 'string' || !plan.may.has(operation)) return null;
  const resolved = path.resolve(file);
  if (!resolved.startsWith(plan.under) || (plan.except !== undefined && resolved.includes(plan.except))) return null;
  const what = `${operation} ${path.basename(resolved)}`;
  if (plan.first !== undefined && plan.fired.length === 0 && !what.startsWith(plan.first)) return null;
  plan.seen += 1;
  if (plan.seen < plan.nth || (plan.seen > plan.nth && plan.isLasting !== true)) return null;
  if (operation === 'write' && plan.roomBytes > bytes) {
    plan.roomBytes -= bytes;
    return null;
  }
  if (operation !== 'write' && plan.roomBytes > 0) return null;
  plan.fired.push(what);
  if (plan.reportPath !== undefined) original.writeFileSync(plan.reportPath, JSON.stringify(plan.fired));
  return makeError(plan.errno, syscall, ['write', 'sync', 'truncate'].includes(operation) ? null : resolved);
}

/** As the system's own: an operation on a descriptor names no path. */
function makeError(code: string, syscall: string, file: string | null): NodeJS.ErrnoException {
  const [errno = 0, [, text]] = [...getSystemErrorMap()].find(([, [name]]) => name === code) ?? [0, [code, code]];
  const message = `${code}: ${text}, ${syscall}${file === null ? '' : ` '${file}'`}`;
  return Object.assign(new Error(message), { code, errno, syscall, ...(file === null ? {} : { path: file }) });
}

const original = { ...fs, promises: { ...fs.promises } };
let isPatched = false;

type Any = (...args: unknown[]) => unknown;

/** Puts a look at the plan before a function. `isWanted` tells by its arguments whether the call counts. */
function wrap(
  holder: object,
  name: string,
  operation: DiskOperation | ((args: readonly unknown[]) => DiskOperation | null),
  fileOf: (args: readonly unknown[], self: object) => unknown,
): void {
  const methods = holder as Record<string, Any>;
  const before = methods[name] as Any;
  const isPromise = holder === fs.promises || (fileHandle !== null && holder === fileHandle);
  methods[name] = function (this: object, ...args: unknown[]) {
    const what = typeof operation === 'function' ? operation(args) : operation;
    const error =
      what === null
        ? null
        : fail(what, fileOf(args, this), { syscall: SYSCALLS[name] ?? name.replace(/Sync$/, ''), bytes: countBytes(args) });
    if (error === null) return before.apply(this, args);
    const last = args.at(-1);
    if (isPromise) return Promise.reject(error);
    if (typeof last !== 'function') throw error;
    process.nextTick(last as Any, error);
    return undefined;
  };
}

/** What the system calls it, where Node has another name. */
const SYSCALLS: Readonly<Record<string, string>> = {
  readFile: 'open',
  readFileSync: 'open',
  writeFile: 'open',
  writeFileSync: 'open',
  appendFile: 'write',
  readdir: 'scandir',
  readdirSync: 'scandir',
  copyFile: 'copyfile',
  copyFileSync: 'copyfile',
  sync: 'fsync',
  datasync: 'fdatasync',
  truncate: 'ftruncate',
};

/** How much a write is about. */
function countBytes(args: readonly unknown[]): number {
  const position = args.findIndex((value) => typeof value === 'string' || value instanceof Uint8Array);
  const data = args[position] as string | Uint8Array | undefined;
  if (typeof data === 'string') return Buffer.byteLength(data);
  // Both ways to write take an offset and a length behind the bytes.
  const length = args[position + 2];
  return typeof length === 'number' ? length : (data?.byteLength ?? 0);
}

const FULL: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT']);

/** A file that is removed from a full disk gives room back. */
function giveRoom(file: unknown): void {
  if (
    plan === null ||
    typeof file !== 'string' ||
    !path.resolve(file).startsWith(plan.under) ||
    plan.seen < plan.nth ||
    !FULL.has(plan.errno)
  )
    return;
  const found = original.lstatSync(file, { throwIfNoEntry: false });
  if (found?.isFile()) plan.roomBytes += found.size;
}

let fileHandle: object | null = null;

function patch(): void {
  if (isPatched) return;
  isPatched = true;
  const byPath = (args: readonly unknown[]) => args[0];
  const byTarget = (args: readonly unknown[]) => args[1];
  const byDescriptor = (args: readonly unknown[]) => pathOfDescriptor.get(args[0] as number);
  const byHandle = (_: readonly unknown[], self: object) => pathOfHandle.get(self);

  rememberPaths();
  for (const holder of [fs, fs.promises]) {
    const suffixes = holder === fs ? ['', 'Sync'] : [''];
    for (const suffix of suffixes) {
      wrap(holder, `open${suffix}`, openOperation, byPath);
      wrap(holder, `mkdir${suffix}`, 'mkdir', byPath);
      wrap(holder, `mkdtemp${suffix}`, 'mkdir', byPath);
      wrap(holder, `rename${suffix}`, 'rename', byTarget);
      wrap(holder, `link${suffix}`, 'link', byTarget);
      wrap(holder, `copyFile${suffix}`, 'write', byTarget);
      wrap(holder, `writeFile${suffix}`, 'write', byPath);
      wrap(holder, `readFile${suffix}`, 'read', byPath);
      wrap(holder, `readdir${suffix}`, 'read', byPath);
    }
  }
  const rmSync = fs.rmSync;
  fs.rmSync = (file, ...rest) => {
    giveRoom(file);
    return rmSync(file, ...rest);
  };
  for (const suffix of ['', 'Sync']) {
    for (const name of ['write', 'writev']) wrap(fs, `${name}${suffix}`, 'write', byDescriptor);
    for (const name of ['fsync', 'fdatasync']) wrap(fs, `${name}${suffix}`, 'sync', byDescriptor);
    wrap(fs, `ftruncate${suffix}`, 'truncate', byDescriptor);
  }
  if (fileHandle !== null) {
    for (const name of ['write', 'writev', 'appendFile', 'writeFile']) wrap(fileHandle, name, 'write', byHandle);
    for (const name of ['sync', 'datasync']) wrap(fileHandle, name, 'sync', byHandle);
    wrap(fileHandle, 'truncate', 'truncate', byHandle);
  }
  syncBuiltinESMExports();
}

/** An opening for reading fails only where nothing can be opened. */
function openOperation(args: readonly unknown[]): DiskOperation | null {
  const flags = args[1];
  const { O_WRONLY, O_RDWR, O_CREAT } = fs.constants;
  const isToWrite = typeof flags === 'number' ? (flags & (O_WRONLY | O_RDWR | O_CREAT)) !== 0 : typeof flags === 'string' && flags !== 'r';
  return isToWrite ? 'open' : 'read';
}

/** Which file a descriptor stands for, so that what is done to it can be told apart. */
function rememberPaths(): void {
  fs.openSync = ((file: string, ...rest: []) =>
    remember(file, (original.openSync as unknown as Any)(file, ...rest) as number)) as typeof fs.openSync;
  fs.open = ((file: string, ...rest: unknown[]) => {
    const done = rest.pop() as (error: unknown, descriptor: number) => void;
    const told = (error: unknown, descriptor: number) => done(error, error === null ? remember(file, descriptor) : descriptor);
    return (original.open as unknown as Any)(file, ...rest, told);
  }) as typeof fs.open;
  fs.promises.open = (async (file: string, ...rest: []) => {
    const handle = await original.promises.open(file, ...rest);
    pathOfHandle.set(handle, file);
    return handle;
  }) as typeof fs.promises.open;
  // The methods of a FileHandle are its class's, which only an open one leads to.
  fileHandle = handlePrototype;
}

function remember(file: string, descriptor: number): number {
  pathOfDescriptor.set(descriptor, file);
  return descriptor;
}

const probe = await fs.promises.open(process.execPath, 'r');
const handlePrototype = Object.getPrototypeOf(probe) as object;
await probe.close();

// `node --import …/disk-faults.js`: the fault of a process that is looked at from outside.
if (process.env.DISK_FAULT !== undefined) breakDisk(JSON.parse(process.env.DISK_FAULT) as DiskFault);
