import fs from 'node:fs';
import path from 'node:path';
import { asDiskError, DiskError, onDisk } from '../core/disk/disk-error.ts';
import { LedgerError, UsageError } from '../core/errors.ts';
import { NewerFormatError, refuseNewer } from '../core/formats.ts';
import {
  listNames,
  makePrivateDirectory,
  makeTemporaryPath,
  openPrivateFile,
  publishFile,
  readPrivateText,
  removeQuietly,
  removeTemporaryFiles,
  syncDirectory,
  writeFileAtomically,
  writeFully,
} from './disk/durable-files.ts';

/** How many runs keep their files. */
const KEPT_RUNS = 14;
const RUN_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const CHUNK_BYTES = 1 << 18;
/** The rows of four million take this much; a larger file was not written by a run. */
const MAX_BYTES = 1 << 28;
const MIN_HASH_LENGTH = 8;
const KEY_LENGTH = 22;

/** The files of single runs, below `runs/<run>/`: read by plans, reports and comparisons. */
export interface RunFiles {
  /** Writes a whole file of a run. */
  writeRunFile(run: string, name: string, content: string): void;
  /** Starts the list of a run's rows; it appears under its name when finished. */
  createRunRowsWriter(run: string): RunRowsWriter;
  /**
   * The text of a run's file; null if it has none of that name.
   * @param leaveOut called for one that cannot be read, which then counts as missing
   * @throws LedgerError without `leaveOut`
   */
  readRunFile(run: string, name: string, leaveOut?: LeaveOut | null): string | null;
  /** The parsed `summary.json` of a run, like `readRunObject`. */
  readRunSummary(run: string, leaveOut?: LeaveOut | null): unknown;
  /**
   * A parsed JSON file of a run, with its format number; null if the run has none.
   * @param leaveOut called for one of a newer format or damaged, which then counts as missing
   * @throws NewerFormatError, LedgerError without `leaveOut`
   */
  readRunObject(run: string, name: string, leaveOut?: LeaveOut | null): unknown;
  /** The rows of a run in order; null if it has no list. `leaveOut` as for `readRunFile`. */
  readRunRows(run: string, leaveOut?: LeaveOut | null): Iterable<RunRow> | null;
  /** Ids of the runs that have files, by name; the ledger's fold knows their order in time. */
  listRuns(): readonly string[];
  /** Removes the files of all but the last 14 of `runs` (oldest first); directories with other names are left alone. */
  pruneRuns(runs: readonly string[]): void;
}

/** Called, with a sentence, for what cannot be read and is not essential. */
export type LeaveOut = (message: string) => void;

/** One row of a run. */
export interface RunRow {
  /** At least eight characters of the hash of the row's id. */
  readonly idHash: string;
  /** The key of its request; null for a row that could not be rendered. */
  readonly key: string | null;
}

export interface RunRowsWriter {
  add(idHash: string, key: string | null): void;
  finish(): void;
  abandon(): void;
}

const ROWS_FILE = 'rows';

/** Where a run's files have their format number (the end of `schema`) and their version: `summary.json`, then `report.json`. */
interface KeptObject {
  readonly summary?: { readonly schema?: string; readonly rows?: unknown; readonly cost?: unknown; readonly causes?: unknown };
  readonly version?: string;
  readonly schema?: string;
  readonly provenance?: { readonly rowmill?: string };
}

/**
 * @param randomId names files while they are written
 * @param assertWritable called before anything is written or removed: a run that was displaced while it stood still would remove what its successor
 *   is writing. @throws whatever it throws
 */
export function openRunFiles(stateDirectory: string, randomId: () => string, assertWritable: () => void = () => {}): RunFiles {
  const root = path.join(stateDirectory, 'runs');

  function locate(run: string, name: string): string {
    if (!RUN_ID.test(run) || !RUN_ID.test(name)) throw new UsageError(`"${run}" is not the id of a run`);
    return path.join(root, run, name);
  }

  function makeFilePath(run: string, name: string): string {
    const file = locate(run, name);
    assertWritable();
    const folder = path.dirname(file);
    const isNew = !fs.existsSync(folder);
    makePrivateDirectory(root);
    makePrivateDirectory(folder);
    // A finished run has a summary after a power cut, too: names of folders are synced like those of files.
    if (isNew) for (const parent of [root, stateDirectory]) syncDirectory(parent);
    return file;
  }

  function readRunFile(run: string, name: string, leaveOut: LeaveOut | null = null): string | null {
    const file = locate(run, name);
    try {
      return readPrivateText(file, MAX_BYTES);
    } catch (error) {
      return refuseDamaged(file, describeRefusal(error, file), leaveOut);
    }
  }

  function readRunObject(run: string, name: string, leaveOut: LeaveOut | null = null): unknown {
    const text = readRunFile(run, name, leaveOut);
    if (text === null) return null;
    const object = parseKept(text);
    if (object === null) return refuseDamaged(locate(run, name), 'it is damaged', leaveOut);
    const format = Number(/\/(\d+)$/.exec(object.schema ?? object.summary?.schema ?? '')?.[1]);
    const version = object.version ?? object.provenance?.rowmill;
    const refusal = refuseNewer('summary', `${name} of run ${run} was written`, { format, version });
    if (refusal === null) return isWhole(object) ? object : refuseDamaged(locate(run, name), 'it is damaged', leaveOut);
    if (leaveOut === null) throw new NewerFormatError(refusal);
    leaveOut(`${refusal}; it is left out`);
    return null;
  }

  return {
    writeRunFile: (run, name, content) => writeFileAtomically(makeFilePath(run, name), content, randomId()),
    createRunRowsWriter(run) {
      const file = makeFilePath(run, ROWS_FILE);
      removeTemporaryFiles(path.dirname(file));
      return openRowsWriter(file, randomId(), assertWritable);
    },
    readRunFile,
    readRunSummary: (run, leaveOut) => readRunObject(run, 'summary.json', leaveOut),
    readRunObject,
    readRunRows(run, leaveOut = null) {
      const text = readRunFile(run, ROWS_FILE, leaveOut);
      if (text === null || isRowList(text)) return text === null ? null : parseRows(text);
      return refuseDamaged(locate(run, ROWS_FILE), 'it is damaged', leaveOut);
    },
    listRuns: () => listNames(root).filter((name) => RUN_ID.test(name)),
    pruneRuns(runs) {
      assertWritable();
      for (const run of runs.slice(0, -KEPT_RUNS)) fs.rmSync(path.dirname(locate(run, ROWS_FILE)), { recursive: true, force: true });
    },
  };
}

/** What prevents a file from being read, without advice: it is not essential. */
function describeRefusal(error: unknown, file: string): string {
  const known = asDiskError(error, file);
  if (known instanceof DiskError) return known.reason;
  if (!(known instanceof LedgerError)) throw known;
  return known.message.replace(`${file}: `, '').replace(/;.*$/s, '');
}

/** The files of a run are derived: the next run of the job keeps its own. */
function refuseDamaged(file: string, what: string, leaveOut: LeaveOut | null): null {
  if (leaveOut === null) {
    throw new LedgerError(`${what}; nothing was paid for with it: move it away, and run the job again`, {
      file,
      line: 0,
    });
  }
  leaveOut(`${file}: ${what}; it is left out`);
  return null;
}

/** Every such file has its format number. */
function parseKept(text: string): KeptObject | null {
  try {
    const object = JSON.parse(text) as KeptObject | null;
    return typeof (object?.schema ?? object?.summary?.schema) === 'string' ? object : null;
  } catch {
    return null;
  }
}

/** And its summary has the result of the run. */
function isWhole({ summary }: KeptObject): boolean {
  return [summary, summary?.rows, summary?.cost, summary?.causes].every(isObject);
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function openRowsWriter(file: string, token: string, assertWritable: () => void): RunRowsWriter {
  const { O_WRONLY, O_CREAT, O_EXCL } = fs.constants;
  const temporaryPath = makeTemporaryPath(file, token);
  const descriptor = onDisk(file, () => openPrivateFile(temporaryPath, O_WRONLY | O_CREAT | O_EXCL));
  const memory = Buffer.allocUnsafe(CHUNK_BYTES);
  let held = 0;
  let bytes = 0;
  let isOpen = true;

  function close(): void {
    if (isOpen) fs.closeSync(descriptor);
    isOpen = false;
  }

  function flush(): void {
    onDisk(file, () => writeFully(descriptor, memory.subarray(0, held), bytes));
    bytes += held;
    held = 0;
  }

  return {
    add(idHash, key) {
      const line = `${idHash} ${key ?? '-'}\n`;
      if (held + line.length > memory.length) flush();
      held += memory.write(line, held, 'latin1');
    },
    finish() {
      flush();
      onDisk(file, () => fs.fsyncSync(descriptor));
      close();
      assertWritable();
      publishFile(temporaryPath, file);
    },
    abandon() {
      close();
      removeQuietly(temporaryPath);
    },
  };
}

/** Whether every line is valid: an id's hash and a key, or `-`. */
function isRowList(text: string): boolean {
  let start = 0;
  for (let newline = text.indexOf('\n'); newline !== -1; newline = text.indexOf('\n', start)) {
    const space = text.indexOf(' ', start);
    const keyLength = newline - space - 1;
    if (space - start < MIN_HASH_LENGTH || space > newline || !(keyLength >= KEY_LENGTH || text.slice(space + 1, newline) === '-'))
      return false;
    start = newline + 1;
  }
  return start === text.length;
}

function* parseRows(text: string): Generator<RunRow> {
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start);
    const end = newline === -1 ? text.length : newline;
    const space = text.indexOf(' ', start);
    const key = text.slice(space + 1, end);
    yield { idHash: text.slice(start, space), key: key === '-' ? null : key };
    start = end + 1;
  }
}
