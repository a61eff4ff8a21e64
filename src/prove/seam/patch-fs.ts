import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';
import path from 'node:path';
import type { OperationKind } from './plan.ts';

/** One operation of a program. */
export interface Operation {
  readonly kind: OperationKind;
  /** Absolute; for a rename or link, the new name; for a request, its method and path. */
  readonly path: string;
  /** The old name of a rename. */
  readonly from: string | null;
  readonly syscall: string;
  /** For a write. */
  readonly bytes: number;
}

/** Called for each operation. */
export interface Listener {
  /** Whether operations on this path matter. */
  isWatched(path: string): boolean;
  /** Called before it. @returns the error to throw instead */
  begin(operation: Operation): Error | null;
  /** Called while it is in progress or, if it is synchronous, when it is done. */
  meanwhile(operation: Operation): void;
  /** Called after it succeeded. */
  end(operation: Operation): void;
}

type AnyFunction = (...args: unknown[]) => unknown;
type Style = 'returns' | 'calls back' | 'promises';

type Originals = Pick<typeof fs, 'existsSync' | 'linkSync' | 'lstatSync' | 'mkdirSync' | 'statSync' | 'writeFileSync'>;

/** The original functions, for the listener. */
export const original: Originals = { ...fs };

const pathOfDescriptor = new Map<number, string>();
const pathOfHandle = new WeakMap<object, string>();

/** The kind, and the positions of the paths among the arguments; 'fd' is a descriptor. */
interface Spec {
  readonly kind: OperationKind | ((args: readonly unknown[]) => OperationKind | null);
  readonly target: 0 | 1 | 'descriptor' | 'handle';
}

const BY_PATH: Readonly<Record<string, Spec>> = {
  open: { kind: kindOfOpening, target: 0 },
  writeFile: { kind: 'write', target: 0 },
  appendFile: { kind: 'write', target: 0 },
  copyFile: { kind: 'write', target: 1 },
  readFile: { kind: 'read', target: 0 },
  readdir: { kind: 'read', target: 0 },
  rename: { kind: 'rename', target: 1 },
  link: { kind: 'link', target: 1 },
  unlink: { kind: 'remove', target: 0 },
  rm: { kind: 'remove', target: 0 },
  mkdir: { kind: 'mkdir', target: 0 },
};
const BY_DESCRIPTOR: Readonly<Record<string, Spec>> = {
  write: { kind: 'write', target: 'descriptor' },
  writev: { kind: 'write', target: 'descriptor' },
  fsync: { kind: 'sync', target: 'descriptor' },
  fdatasync: { kind: 'sync', target: 'descriptor' },
  ftruncate: { kind: 'truncate', target: 'descriptor' },
};
const BY_HANDLE: Readonly<Record<string, Spec>> = {
  write: { kind: 'write', target: 'handle' },
  writev: { kind: 'write', target: 'handle' },
  appendFile: { kind: 'write', target: 'handle' },
  writeFile: { kind: 'write', target: 'handle' },
  sync: { kind: 'sync', target: 'handle' },
  datasync: { kind: 'sync', target: 'handle' },
  truncate: { kind: 'truncate', target: 'handle' },
};
/** The system's name where Node uses another one. */
const SYSCALLS: Readonly<Record<string, string>> = {
  writeFile: 'open',
  readFile: 'open',
  appendFile: 'open',
  copyFile: 'copyfile',
  readdir: 'scandir',
  rm: 'unlink',
  sync: 'fsync',
  datasync: 'fdatasync',
  truncate: 'ftruncate',
};

/** Opening for reading changes nothing. */
function kindOfOpening([, flags]: readonly unknown[]): OperationKind {
  const { O_WRONLY, O_RDWR, O_CREAT } = fs.constants;
  if (typeof flags === 'number') return (flags & (O_WRONLY | O_RDWR | O_CREAT)) === 0 ? 'read' : 'open';
  return flags === undefined || flags === 'r' || typeof flags === 'object' ? 'read' : 'open';
}

/** Puts a listener between the program and `node:fs`, in all three of its styles, and behind each write to a socket. */
export async function patchDisk(listener: Listener): Promise<void> {
  const probe = await fs.promises.open(process.execPath, 'r');
  const handlePrototype = Object.getPrototypeOf(probe) as object;
  await probe.close();
  for (const [name, spec] of Object.entries({ ...BY_PATH, ...BY_DESCRIPTOR })) {
    wrap(fs, `${name}Sync`, { name, spec, style: 'returns', listener });
    wrap(fs, name, { name, spec, style: 'calls back', listener });
  }
  for (const [name, spec] of Object.entries(BY_PATH)) wrap(fs.promises, name, { name, spec, style: 'promises', listener });
  for (const [name, spec] of Object.entries(BY_HANDLE)) wrap(handlePrototype, name, { name, spec, style: 'promises', listener });
  for (const method of ['close', 'closeSync']) forgetClosed(method);
  patchSockets(listener);
  syncBuiltinESMExports();
}

interface Wrapping {
  readonly name: string;
  readonly spec: Spec;
  readonly style: Style;
  readonly listener: Listener;
}

function wrap(holder: object, method: string, { name, spec, style, listener }: Wrapping): void {
  const methods = holder as Record<string, AnyFunction | undefined>;
  const before = methods[method];
  if (before === undefined) return;
  methods[method] = function patched(this: object, ...args: unknown[]): unknown {
    const operation = describeCall(this, args, { name, spec, listener });
    if (operation === null) return before.apply(this, args);
    const error = listener.begin(operation);
    const done = (result: unknown) => {
      if (operation.syscall === 'open') rememberOpened(operation.path, result);
      listener.end(operation);
      return result;
    };
    switch (style) {
      case 'returns': {
        if (error !== null) throw error;
        const result = before.apply(this, args);
        listener.meanwhile(operation);
        return done(result);
      }
      case 'promises': {
        if (error !== null) return Promise.reject(error);
        const promise = before.apply(this, args) as Promise<unknown>;
        listener.meanwhile(operation);
        return promise.then(done);
      }
      case 'calls back': {
        const callBack = args.pop() as AnyFunction;
        if (error !== null) return process.nextTick(callBack, error);
        const told = (failure: unknown, ...results: unknown[]) => {
          if (failure === null || failure === undefined) done(results[0]);
          callBack(failure, ...results);
        };
        before.apply(this, [...args, told]);
        return listener.meanwhile(operation);
      }
      default:
        return style satisfies never;
    }
  };
}

/** @returns null if nobody listens for it */
function describeCall(self: object, args: readonly unknown[], { name, spec, listener }: Omit<Wrapping, 'style'>): Operation | null {
  const kind = typeof spec.kind === 'function' ? spec.kind(args) : spec.kind;
  const given =
    spec.target === 'descriptor'
      ? pathOfDescriptor.get(args[0] as number)
      : spec.target === 'handle'
        ? pathOfHandle.get(self)
        : args[spec.target];
  if (kind === null || typeof given !== 'string') return null;
  const file = path.resolve(given);
  if (!listener.isWatched(file)) return null;
  const from = kind === 'rename' ? path.resolve(String(args[0])) : null;
  // What is open already is written to; a path is opened first.
  const syscall = spec.target === 'handle' && kind === 'write' ? 'write' : (SYSCALLS[name] ?? name);
  return { kind, path: file, from, syscall, bytes: kind === 'write' ? countBytes(args) : 0 };
}

function rememberOpened(file: string, opened: unknown): void {
  if (typeof opened === 'number') pathOfDescriptor.set(opened, file);
  else if (typeof opened === 'object' && opened !== null) pathOfHandle.set(opened, file);
}

/** The next file with this descriptor may be one that is not watched. */
function forgetClosed(method: string): void {
  const methods = fs as unknown as Record<string, AnyFunction>;
  const before = methods[method] as AnyFunction;
  methods[method] = (...args) => {
    pathOfDescriptor.delete(args[0] as number);
    return before(...args);
  };
}

/** How many bytes a write is about. */
function countBytes(args: readonly unknown[]): number {
  const position = args.findIndex((value) => typeof value === 'string' || value instanceof Uint8Array);
  const data = args[position] as string | Uint8Array | undefined;
  if (typeof data === 'string') return Buffer.byteLength(data);
  // Both ways to write take an offset and a length behind the bytes.
  const length = args[position + 2];
  return typeof length === 'number' ? length : (data?.byteLength ?? 0);
}

/** `POST /v1/batches` at the start of a request; nothing for the rest of it. */
function readRequestLine(data: unknown): string {
  return typeof data === 'string' ? (/^[A-Z]+ \S+(?= HTTP)/.exec(data)?.[0] ?? '') : '';
}

/** A request that leaves is an operation too: it may cost money. */
function patchSockets(listener: Listener): void {
  const sockets = net.Socket.prototype as unknown as Record<string, AnyFunction>;
  const write = sockets.write as AnyFunction;
  sockets.write = function patched(this: net.Socket, ...args: unknown[]): unknown {
    // Only what goes to a provider or a Redis, not to a terminal or a pipe.
    if (this.remotePort === undefined) return write.apply(this, args);
    const operation: Operation = { kind: 'send', path: readRequestLine(args[0]), from: null, syscall: 'write', bytes: countBytes(args) };
    const error = listener.begin(operation);
    if (error !== null) throw error;
    const result = write.apply(this, args);
    listener.meanwhile(operation);
    listener.end(operation);
    return result;
  };
}
