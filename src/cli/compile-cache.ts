import {
  closeSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  type Stats,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { Module } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { constants, Script } from 'node:vm';
import { pruneCompiled } from '../host/prune-compiled.ts';

/** How Node loads a file by its extension; not in the types. */
type Load = (module: Module, file: string) => void;
type Wrapped = (this: unknown, ...names: readonly unknown[]) => unknown;

/** What Node puts around a file. */
const [HEAD, TAIL] = Module.wrap('|')
  .split('|')
  .map((part) => Buffer.from(part)) as [Buffer, Buffer];
/** Identifies the exact file a compiled file was made from, whatever is installed over it. */
const IDENTITY_BYTES = 96;

/** What is compiled of the bundle, kept for the next start. */
export interface CompileCache {
  /** From here on, files are kept for this command alone: only functions that have run are compiled, and each command runs others. */
  keepFor(command: string): void;
  /** To be called before a flag of V8 changes: to V8, what is compiled under other flags is worth nothing. */
  keep(): void;
}

const NO_CACHE: CompileCache = { keepFor() {}, keep() {} };

/**
 * Keeps what V8 compiled of the bundle for the next start, as Node does itself from 22.1 on (`module.enableCompileCache`), and heeds the same
 * variables. Half of the time of a short command goes into compiling. Nothing is kept where the folder could be another user's.
 */
export function enableCompileCache(): CompileCache {
  const loader = Module as unknown as { enableCompileCache?(): void; readonly _extensions: { '.js': Load; '.cjs'?: Load } };
  if (loader.enableCompileCache !== undefined) {
    loader.enableCompileCache();
    return NO_CACHE;
  }
  const kept = process.env.NODE_DISABLE_COMPILE_CACHE === '1' ? null : openFolder();
  if (kept === null) return NO_CACHE;
  const bundle = import.meta.dirname;
  let suffix = '';
  const fresh = new Map<string, { readonly script: Script; readonly identity: Buffer }>();
  const { '.js': load, '.cjs': loadOther = load } = loader._extensions;
  loader._extensions['.cjs'] = (module, file) => {
    if (!file.startsWith(bundle)) return loadOther(module, file);
    const path = join(kept, encodeURIComponent(file).slice(-200) + suffix);
    const { source, identity } = readSource(file);
    const script = new Script(source, {
      filename: file,
      columnOffset: -HEAD.length,
      cachedData: readKept(path, identity),
      importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    });
    if (script.cachedDataRejected !== false) fresh.set(path, { script, identity });
    const run = script.runInThisContext() as Wrapped;
    run.call(module.exports, module.exports, (id: string) => module.require(id), module, file, dirname(file));
  };
  const keep = () => {
    if (fresh.size === 0) return;
    for (const [path, { script, identity }] of fresh) write(path, Buffer.concat([identity, script.createCachedData()]));
    fresh.clear();
    // A folder that was named may hold files of others.
    if (!process.env.NODE_COMPILE_CACHE) pruneCompiled(kept, Date.now());
  };
  process.once('exit', keep);
  return {
    keepFor(command) {
      suffix = `.${command}`;
    },
    keep,
  };
}

/** A folder that nobody else can write to; null if there is none. Its parent has to exist. */
function openFolder(): string | null {
  const user = process.getuid?.();
  if (user === undefined) return null;
  const folder = process.env.NODE_COMPILE_CACHE || join(tmpdir(), `rowmill-compiled-${user}`);
  try {
    const place = lstatSync(folder, { throwIfNoEntry: false }) ?? makeFolder(folder);
    return place.isDirectory() && place.uid === user && (place.mode & 0o022) === 0 ? folder : null;
  } catch {
    return null;
  }
}

function makeFolder(path: string): Stats {
  mkdirSync(path, { mode: 0o700 });
  return lstatSync(path);
}

/** A file of the bundle as a function, and what identifies it. The bundle is ASCII; read in parts and joined, as by Node, each byte would be copied five times. */
function readSource(file: string): { readonly source: string; readonly identity: Buffer } {
  const descriptor = openSync(file, 'r');
  try {
    const { dev, ino, size, ctimeMs } = fstatSync(descriptor);
    const text = Buffer.allocUnsafeSlow(HEAD.length + size + TAIL.length);
    HEAD.copy(text);
    const end = HEAD.length + readSync(descriptor, text, HEAD.length, size, 0);
    TAIL.copy(text, end);
    const identity = Buffer.from([process.version, dev, ino, size, ctimeMs].join(' ').padEnd(IDENTITY_BYTES));
    return { source: text.toString('latin1', 0, end + TAIL.length), identity };
  } finally {
    closeSync(descriptor);
  }
}

function readKept(path: string, identity: Buffer): Buffer | undefined {
  try {
    const bytes = readFileSync(path);
    return bytes.subarray(0, IDENTITY_BYTES).equals(identity) ? bytes.subarray(IDENTITY_BYTES) : undefined;
  } catch {
    return undefined;
  }
}

/** Written completely or not at all; no command fails because of it. */
function write(path: string, bytes: Buffer): void {
  const part = `${path}.${process.pid}`;
  try {
    writeFileSync(part, bytes, { mode: 0o600, flag: 'wx' });
    const file = openSync(part, 'r+');
    fsyncSync(file);
    closeSync(file);
    renameSync(part, path);
  } catch {
    try {
      unlinkSync(part);
    } catch {}
  }
}
