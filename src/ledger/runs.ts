import fs from 'node:fs';
import path from 'node:path';
import { onDisk } from '../core/disk-error.ts';
import { UsageError } from '../core/errors.ts';
import { NewerFormatError, refuseNewer } from '../core/formats.ts';
import {
  listNames,
  makePrivateDirectory,
  makeTemporaryPath,
  openPrivateFile,
  publishFile,
  removeQuietly,
  writeFileAtomically,
  writeFully,
} from './disk/durable-files.ts';

/** How many runs keep their files. */
const KEPT_RUNS = 14;
const RUN_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const CHUNK_BYTES = 1 << 18;

/** The files of single runs, below `runs/<run>/`: what plans, reports and comparisons read. */
export interface RunFiles {
  /** Writes a whole file of a run. */
  writeRunFile(run: string, name: string, content: string): void;
  /** Begins the list of a run's rows; it appears under its name when finished. */
  createRunRowsWriter(run: string): RunRowsWriter;
  /** The text of a run's file; null when it has none of that name. */
  readRunFile(run: string, name: string): string | null;
  /** The parsed `summary.json` of a run, as `readRunObject`. */
  readRunSummary(run: string, leaveOut?: LeaveOut | null): unknown;
  /**
   * A parsed JSON file of a run that says of which format it is; null when the run has none.
   * @param leaveOut is told of one of a newer format, which then counts as none
   * @throws NewerFormatError without `leaveOut`
   */
  readRunObject(run: string, name: string, leaveOut?: LeaveOut | null): unknown;
  /** The rows of a run in order; null when it has no list. */
  readRunRows(run: string): Iterable<RunRow> | null;
  /** Ids of the runs that have files, by name; the ledger's fold knows their order in time. */
  listRuns(): readonly string[];
  /** Removes the files of all but the last 14 of `runs` (oldest first); directories of other names are left alone. */
  pruneRuns(runs: readonly string[]): void;
}

/** Told, in a sentence, of what cannot be read and can be done without. */
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

/** Where a run's files say of which format they are (the number that ends `schema`) and who wrote them: `summary.json`, then `report.json`. */
interface KeptObject {
  readonly summary?: { readonly schema?: string };
  readonly version?: string;
  readonly schema?: string;
  readonly provenance?: { readonly rowmill?: string };
}

/** @param randomId names files while they are written */
export function openRunFiles(stateDirectory: string, randomId: () => string): RunFiles {
  const root = path.join(stateDirectory, 'runs');

  function locate(run: string, name: string): string {
    if (!RUN_ID.test(run) || !RUN_ID.test(name)) throw new UsageError(`"${run}" is not the id of a run`);
    return path.join(root, run, name);
  }

  function makeFilePath(run: string, name: string): string {
    const file = locate(run, name);
    makePrivateDirectory(root);
    makePrivateDirectory(path.dirname(file));
    return file;
  }

  function readRunFile(run: string, name: string): string | null {
    try {
      return fs.readFileSync(locate(run, name), 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
  }

  function readRunObject(run: string, name: string, leaveOut: LeaveOut | null = null): unknown {
    const text = readRunFile(run, name);
    if (text === null) return null;
    const object = JSON.parse(text) as KeptObject;
    const format = Number(/\/(\d+)$/.exec(object.schema ?? object.summary?.schema ?? '')?.[1]);
    const version = object.version ?? object.provenance?.rowmill;
    const refusal = refuseNewer('summary', `${name} of run ${run} was written`, { format, version });
    if (refusal === null) return object;
    if (leaveOut === null) throw new NewerFormatError(refusal);
    leaveOut(`${refusal}; it is left out`);
    return null;
  }

  return {
    writeRunFile: (run, name, content) => writeFileAtomically(makeFilePath(run, name), content, randomId()),
    createRunRowsWriter: (run) => openRowsWriter(makeFilePath(run, ROWS_FILE), randomId()),
    readRunFile,
    readRunSummary: (run, leaveOut) => readRunObject(run, 'summary.json', leaveOut),
    readRunObject,
    readRunRows(run) {
      const text = readRunFile(run, ROWS_FILE);
      return text === null ? null : parseRows(text);
    },
    listRuns: () => listNames(root).filter((name) => RUN_ID.test(name)),
    pruneRuns(runs) {
      for (const run of runs.slice(0, -KEPT_RUNS)) fs.rmSync(path.dirname(locate(run, ROWS_FILE)), { recursive: true, force: true });
    },
  };
}

function openRowsWriter(file: string, token: string): RunRowsWriter {
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
      publishFile(temporaryPath, file);
    },
    abandon() {
      close();
      removeQuietly(temporaryPath);
    },
  };
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
