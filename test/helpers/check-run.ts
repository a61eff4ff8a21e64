import * as fs from 'node:fs';
import * as path from 'node:path';
import { findWrongCounts } from '../../src/prove/check/find-violations.ts';
import { findBookViolations } from './check-books.ts';
import { type Cells, type RunEvidence, type RunPlaces, readEvidence } from './run-evidence.ts';

/** What a check has to know besides the files. */
export interface CheckOptions extends RunPlaces {
  /** The path the job names for its table; absolute. */
  readonly writePath: string;
  /** Names of the answer's columns; empty for text output, whose column is `answer`. */
  readonly answerColumns: readonly string[];
  /** Whether an answer, parsed and as it was written, keeps to the job's schema; any object with the columns when absent. */
  readonly isAnswer?: (answer: Cells, text: string) => boolean;
  /** Before the columns of the program. */
  readonly prefix?: string;
  /** An input column whose text stands verbatim in every prompt. */
  readonly textColumn?: string;
  /** Kept input columns; all when absent. */
  readonly keep?: readonly string[];
  /** Indexes of the rows a pilot was about; all rows when absent. */
  readonly rows?: readonly number[];
  /** The API key: it may stand nowhere. */
  readonly secretKey: string;
  /** Row texts that may stand in requests, responses and tables only. */
  readonly secretCells: readonly string[];
  /** What the program printed. */
  readonly said: string;
  /** Billed calls whose lines the fault plan destroyed: the only ones the books may lack. */
  readonly destroyedLines?: number;
  /** The bytes that stood at `writePath` before a run that did not finish; null for nothing. */
  readonly previousTable?: Buffer | null;
}

const UNFINISHED_EXITS = new Set([1, 4, 5, 7, 130, 143]);
const FINISHED_EXITS = new Set([0, 3]);

/** Throws with every promise the run broke. */
export function checkRun(options: CheckOptions): void {
  const violations = findViolations(options);
  if (violations.length > 0) throw new Error(`the run broke its promises:\n${violations.join('\n')}`);
}

/** Every promise that a run broke, whether it finished or not and whatever its job; each begins with its letter. The checker of `prove` knows its job, and says more of it. */
export function findViolations(options: CheckOptions): readonly string[] {
  let evidence: RunEvidence;
  try {
    evidence = readEvidence(options);
  } catch (error) {
    return [`G4: a file cannot be read: ${(error as Error).message}`];
  }
  return [
    ...findRowViolations(evidence, options),
    ...findBookViolations(evidence, options),
    ...findFileViolations(evidence, options),
    ...findSecretViolations(options),
  ];
}

/** G1: every input row once, in order, with exactly one end. */
function* findRowViolations({ input, table, summary, rowKeys }: RunEvidence, options: CheckOptions): Generator<string> {
  const prefix = options.prefix ?? '';
  const { rows, exitCode } = summary;
  for (const wrong of findWrongCounts(rows)) yield `G1: ${wrong}`;
  const expected = options.rows === undefined ? input : options.rows.map((index) => input[index] as Cells);
  if (rows.in !== expected.length) yield `G1: the summary counts ${rows.in} rows, the input has ${expected.length}`;
  if (rows.pending > 0 && !UNFINISHED_EXITS.has(exitCode)) yield `G1: rows are pending after exit ${exitCode}`;
  if (table === null) return yield 'G1: no table was written';
  if (table.rows.length !== expected.length) yield `G1: the table has ${table.rows.length} rows, the input ${expected.length}`;
  if (rowKeys.length !== expected.length) yield `G1: the run lists ${rowKeys.length} rows, the input has ${expected.length}`;
  const counts: Record<string, number> = { ok: 0, failed: 0, skipped: 0, pending: 0, new: 0, reused: 0, duplicate: 0 };
  for (const [index, row] of table.rows.entries()) {
    const source = expected[index] ?? {};
    for (const column of options.keep ?? Object.keys(source)) {
      if (JSON.stringify(row[column] ?? null) !== JSON.stringify(source[column] ?? null))
        yield `G1: row ${index}: ${column} is not the input's`;
    }
    const status = String(row[`${prefix}_status`]);
    if (!['ok', 'failed', 'skipped', 'pending'].includes(status)) yield `G1: row ${index} has the status "${status}"`;
    counts[status] = (counts[status] ?? 0) + 1;
    const sourceWord = row[`${prefix}_source`];
    if (typeof sourceWord === 'string' && sourceWord !== '') counts[sourceWord] = (counts[sourceWord] ?? 0) + 1;
    const error = row[`${prefix}_error`] ?? '';
    if ((status === 'failed' || status === 'skipped') && error === '') yield `G1: row ${index} ${status} without a cause`;
    if (status === 'ok' && error !== '') yield `G1: row ${index} is ok with an error`;
  }
  for (const [word, count] of Object.entries(counts)) {
    if (rows[word] !== count) yield `G1: the summary counts ${rows[word]} ${word}, the table ${count}`;
  }
}

/** G4: the final name holds a whole table of a finished run, or what stood there before. */
function* findFileViolations({ summary, files, strayResponses, events }: RunEvidence, options: CheckOptions): Generator<string> {
  const isFinal = FINISHED_EXITS.has(summary.exitCode) && options.rows === undefined;
  const folder = path.dirname(options.writePath);
  const stem = path.basename(options.writePath, path.extname(options.writePath));
  const beside = fs.readdirSync(folder).filter((name) => name !== path.basename(options.inputPath) && name.includes(stem));
  if (isFinal !== (options.tablePath === options.writePath))
    yield `G4: exit ${summary.exitCode} wrote ${path.basename(options.tablePath ?? '')}`;
  if (isFinal && beside.some((name) => name.includes('.partial.'))) yield 'G4: a partial table is left beside the final one';
  if (!isFinal && options.previousTable !== undefined) {
    const now = fs.existsSync(options.writePath) ? fs.readFileSync(options.writePath) : null;
    if (now === null ? options.previousTable !== null : options.previousTable === null || !now.equals(options.previousTable)) {
      yield 'G4: a run that did not finish changed the table';
    }
  }
  const litter = beside.filter((name) => name.includes('tmp'));
  if (litter.length > 0) yield `G4: left behind: ${litter.join(', ')}`;
  if (strayResponses.length > 0) yield `G4: responses/ holds ${strayResponses.join(', ')}, which no event records`;
  for (const { name, bytes, event } of files) {
    if (bytes.length !== event.bytes) yield `G4: ${name} has ${bytes.length} bytes, ${event.bytes} were recorded`;
  }
  for (const [index, event] of events.entries())
    if (event.seq !== index + 1) yield `G4: event ${index + 1} carries the number ${event.seq}`;
}

/** G7: the key nowhere, row text only where rows belong; nobody else may read. */
function* findSecretViolations(options: CheckOptions): Generator<string> {
  const holdsRows = /^(requests|responses|provider)\/|^(stdin|settled\.jsonl)$/;
  for (const name of fs.readdirSync(options.stateDirectory, { recursive: true, encoding: 'utf8' })) {
    const file = path.join(options.stateDirectory, name);
    const stat = fs.statSync(file);
    const isProvider = name.startsWith('provider');
    if (!isProvider && (stat.mode & 0o077) !== 0) yield `G7: others may read ${name}`;
    if (!stat.isFile()) continue;
    const text = fs.readFileSync(file, 'utf8');
    if (text.includes(options.secretKey)) yield `G7: the key stands in ${name}`;
    if (!holdsRows.test(name)) for (const cell of options.secretCells) if (text.includes(cell)) yield `G7: row text stands in ${name}`;
  }
  for (const name of fs.readdirSync(path.dirname(options.writePath))) {
    const file = path.join(path.dirname(options.writePath), name);
    if (fs.statSync(file).isFile() && fs.readFileSync(file, 'utf8').includes(options.secretKey)) yield `G7: the key stands in ${name}`;
  }
  const printed = `${options.said}\n${JSON.stringify(options.summary)}`;
  if (printed.includes(options.secretKey)) yield 'G7: the key was printed';
  for (const cell of options.secretCells) if (printed.includes(cell)) yield 'G7: row text was printed';
}
