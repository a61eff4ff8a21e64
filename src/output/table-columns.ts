import type { WriteSpec } from '../core/job.ts';

/** What rowmill adds to each row, in column order. */
export const SIDECAR_COLUMNS = [
  '_status',
  '_error',
  '_source',
  '_attempts',
  '_model',
  '_input_tokens',
  '_cached_tokens',
  '_output_tokens',
  '_reasoning_tokens',
  '_cost_usd',
  '_request_id',
] as const;

/** The last column, only in tables made with the simulator, where every row says `true`. */
export const SIMULATED_COLUMN = '_simulated';

/** The answer's column if the job names no properties. */
export const ANSWER_COLUMN = 'answer';

/** Which columns a table gets. */
export interface ColumnsOptions {
  /** The input's columns. */
  readonly columns: readonly string[];
  readonly keep: WriteSpec['keep'];
  /** Prefix of every column of ours. */
  readonly prefix: string;
  /** Properties of the answer, each a column; empty: the whole answer is one column, `answer`. */
  readonly answerColumns: readonly string[];
  readonly simulated: boolean;
}

/** The columns of a table to be written. */
export interface TableColumns {
  /** Indexes of the input's columns, in the order in which they are written. */
  readonly keptIndexes: readonly number[];
  readonly keptNames: readonly string[];
  /** Names of the answer's columns, prefixed. */
  readonly answerNames: readonly string[];
  /** Names of the sidecar columns, with `_simulated` if present, prefixed. */
  readonly sidecarNames: readonly string[];
}

/** Lays out a table: kept input columns, answer, sidecar. Kept names that are not columns of the input are left out. */
export function makeTableColumns(options: ColumnsOptions): TableColumns {
  const { columns, keep, prefix } = options;
  const keptIndexes = (keep === 'all' ? columns.map((_, index) => index) : keep.map((name) => columns.indexOf(name))).filter((i) => i >= 0);
  const sidecar = options.simulated ? [...SIDECAR_COLUMNS, SIMULATED_COLUMN] : SIDECAR_COLUMNS;
  return {
    keptIndexes,
    keptNames: keptIndexes.map((index) => columns[index] as string),
    answerNames: answerColumnsOf(options).map((name) => prefix + name),
    sidecarNames: sidecar.map((name) => prefix + name),
  };
}

/** Names that would occur twice in a table, and how to avoid it. */
export interface ColumnClash {
  readonly columns: readonly string[];
  /** A `write.prefix` that avoids the clash; null if no prefix can, because two columns of ours have the same name. */
  readonly prefix: string | null;
  readonly message: string;
}

/** Looks for columns of ours that also exist among the kept input columns, `_simulated` always included. */
export function findColumnClash(options: Omit<ColumnsOptions, 'simulated'>): ColumnClash | null {
  const answerNames = new Set(answerColumnsOf(options));
  const ownClash = [...SIDECAR_COLUMNS, SIMULATED_COLUMN].filter((name) => answerNames.has(name));
  if (ownClash.length > 0) {
    return {
      columns: ownClash,
      prefix: null,
      message: `the output has ${quote(ownClash)}, which rowmill writes itself; name it otherwise`,
    };
  }
  const columns = clashingNames(options, options.prefix);
  if (columns.length === 0) return null;
  const prefix = PREFIXES.find((prefix) => clashingNames(options, prefix).length === 0) ?? null;
  const advice = prefix === null ? 'Set write.prefix' : `Set write.prefix: ${prefix}`;
  return { columns, prefix, message: `the input already has ${quote(columns)}. ${advice}` };
}

const PREFIXES = ['llm_', 'rowmill_', ...Array.from({ length: 100 }, (_, index) => `llm${index + 2}_`)];

function clashingNames(options: Omit<ColumnsOptions, 'simulated'>, prefix: string): readonly string[] {
  const table = makeTableColumns({ ...options, prefix, simulated: true });
  const kept = new Set(table.keptNames);
  return [...table.answerNames, ...table.sidecarNames].filter((name) => kept.has(name));
}

function answerColumnsOf(options: Pick<ColumnsOptions, 'answerColumns'>): readonly string[] {
  return options.answerColumns.length === 0 ? [ANSWER_COLUMN] : options.answerColumns;
}

function quote(names: readonly string[]): string {
  return `${names.length === 1 ? 'a column' : 'columns'} ${names.map((name) => `"${name}"`).join(', ')}`;
}
