import { statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { AppError, UsageError } from '../../core/errors.ts';
import { formatSpentUsd } from '../../core/summary.ts';
import { PRICES_FILE } from '../../input/job/load-prices.ts';
import { SIMULATOR_ORIGIN } from '../../ledger/origin.ts';
import { findDestinationProblem, type NamedFile } from '../../output/find-destination-problem.ts';
import { listDestinations } from '../../run/open/destinations.ts';
import { findJobFilesWithState } from '../find-jobs.ts';
import { findStateDirectories } from '../find-states.ts';
import type { ReadOptions } from '../open-state.ts';
import { type Costs, sumCosts } from './costs.ts';
import { type DayCosts, readStateCosts, type StateCosts } from './read-state-costs.ts';

/** The dimensions of a bill. */
export const BILL_KEYS = ['job', 'model', 'day', 'lane', 'month'] as const;

/** Deeper folders are not searched. */
const MAX_DEPTH = 8;

export type BillKey = (typeof BILL_KEYS)[number];

/** The cost of all jobs below a folder (`bill --json`); field names are a contract. */
export interface Bill {
  readonly schema: 'rowmill.bill/1';
  /** Absolute path of the folder. */
  readonly folder: string;
  /** The first and the last UTC day: as requested, else of the data; null if there is none. */
  readonly from: string | null;
  readonly to: string | null;
  /** Whether all of it is simulated: no job below the folder used a real model. */
  readonly simulated: boolean;
  readonly total: BillTotal;
  /** By day, job, model and lane. They add up to the total. */
  readonly rows: readonly BillRow[];
  /** The same rows added up by `by`; absent if not requested. */
  readonly by?: BillKey;
  readonly groups?: readonly BillGroup[];
  /** Simulated states next to real ones: in no figure above. */
  readonly apart: { readonly total: BillTotal; readonly rows: readonly BillRow[] } | null;
  /** What could not be counted, each a sentence; if there are any, the bill is incomplete. */
  readonly problems: readonly string[];
  /** Notes on ledgers that were counted. */
  readonly notes: readonly string[];
}

export interface BillTotal extends Costs {
  /** Exact dollars; `unknown` if no part has a known price. */
  readonly usd: string;
}

export interface BillRow extends DayCosts {
  readonly job: string;
  /** The state directory, relative to the folder. */
  readonly state: string;
}

export interface BillGroup extends Costs {
  /** The value of `by`. */
  readonly name: string;
}

export interface BillOptions extends Omit<ReadOptions, 'jobFile' | 'input' | 'origin' | 'leaveOut'> {
  readonly folder: string;
  /** Only costs at this provider, or only simulated ones; null for all. */
  readonly origin: string | null;
  /** UTC days, both included; null for no bound. */
  readonly since: string | null;
  readonly until: string | null;
  /** Null if no groups are wanted. */
  readonly by: BillKey | null;
  /** The file to be written; null for none. */
  readonly csvPath: string | null;
}

/**
 * Adds up all ledgers below a folder, one after the other. What cannot be read is listed in `problems`, and the others are counted.
 * @throws UsageError if the folder holds no state, or the table would overwrite something that is read
 */
export async function readBill(options: BillOptions): Promise<Bill> {
  const { since, until, cwd } = options;
  if (since !== null && until !== null && since > until) throw new UsageError(`--since ${since} is later than --until ${until}`);
  const folder = resolve(cwd, options.folder);
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new UsageError(`${relative(cwd, folder)} is not a folder; bill needs a folder with jobs below it`);
  const root = options.stateRoot === null ? null : resolve(cwd, options.stateRoot);
  const problems: string[] = [];
  const notes: string[] = [];
  const found = findStateDirectories(folder, {
    root,
    tell: (problem) => problems.push(`${problem}; its costs are in no sum`),
    depth: MAX_DEPTH,
  });
  if (found.length === 0 && problems.length === 0) {
    throw new UsageError(`${relative(cwd, folder) || '.'}: no job below this folder has been run`, { code: 'no_state' });
  }
  const jobFiles = findJobFilesWithState(folder, root);
  const sources: NamedFile[] = jobFiles.map(({ file }) => ({ path: file, name: 'a job file' }));
  const read: { readonly costs: StateCosts; readonly rows: readonly BillRow[] }[] = [];
  for (const one of found) {
    const jobFile = jobFiles.find(({ directories }) => directories.includes(one.directory))?.file ?? null;
    try {
      const costs = await readStateCosts(one, { ...options, jobFolder: jobFile === null ? null : dirname(jobFile) });
      const state = relative(folder, one.directory) || '.';
      const days = costs.days.filter((day) => isAskedFor(options.origin, costs, day));
      read.push({ costs, rows: days.map((day) => ({ job: one.job, state, ...day })) });
      notes.push(...costs.notes);
      if (costs.job !== null) sources.push(...listFiles(costs.job));
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      problems.push(error.message);
    }
  }
  refuseCsvPath(options, sources);
  const rows = dropCopies(read, notes)
    .flatMap((state) => state.rows)
    .toSorted(compareRows);
  return makeBill(options, { folder, rows, problems, notes });
}

/** The simulator may have answered at any address. */
function isAskedFor(asked: string | null, { origin }: StateCosts, { simulated }: DayCosts): boolean {
  return asked === null || (asked === SIMULATOR_ORIGIN ? simulated : origin === asked);
}

function listFiles(job: NonNullable<StateCosts['job']>): readonly NamedFile[] {
  return [
    { path: job.input.path, name: 'a table that is read' },
    { path: join(job.directory, PRICES_FILE), name: 'the list of prices' },
    ...listDestinations({ job, tableFiles: [] }),
  ];
}

function refuseCsvPath({ csvPath, cwd, environmentFiles = [] }: BillOptions, sources: readonly NamedFile[]): void {
  if (csvPath === null) return;
  const keys = environmentFiles.map((path) => ({ path, name: 'a file with keys' }));
  const destinations = [{ path: resolve(cwd, csvPath), name: 'the bill' }];
  const problem = findDestinationProblem({
    destinations,
    sources: [...sources, ...keys],
    stateDirectory: join(cwd, '.rowmill'),
    cwd,
  });
  if (problem !== null) throw new UsageError(problem, { code: 'output' });
}

/** Of two directories with the same state, the more complete one counts. */
function dropCopies<Read extends { readonly costs: StateCosts; readonly rows: readonly BillRow[] }>(
  read: readonly Read[],
  notes: string[],
): readonly Read[] {
  const kept = new Map<string, Read>();
  for (const one of read) {
    const { state, seq } = one.costs;
    const other = kept.get(state);
    if (other !== undefined) {
      const [name] = [one, other].flatMap(({ rows }) => rows.map((row) => row.state));
      notes.push(`${name ?? state}: two directories are copies of one state; the one that knows more is counted, once`);
    }
    if (other === undefined || other.costs.seq < seq) kept.set(state, one);
  }
  return [...kept.values()];
}

function compareRows(a: BillRow, b: BillRow): number {
  const [left, right] = [a, b].map(({ day, job, model, lane, state }) => [day, job, model, lane, state].join('\n'));
  return (left as string) < (right as string) ? -1 : 1;
}

function makeBill(
  { since, until, by }: BillOptions,
  { folder, rows: all, ...told }: Pick<Bill, 'folder' | 'rows' | 'problems' | 'notes'>,
): Bill {
  // Decided over everything: days without real calls do not make a bill simulated.
  const simulated = all.length > 0 && all.every((row) => row.simulated);
  const asked = all.filter(({ day }) => (since === null || day >= since) && (until === null || day <= until));
  const real = asked.filter((row) => !row.simulated);
  const made = asked.filter((row) => row.simulated);
  const rows = simulated ? made : real;
  return {
    schema: 'rowmill.bill/1',
    folder,
    from: since ?? rows[0]?.day ?? null,
    to: until ?? rows.at(-1)?.day ?? null,
    simulated,
    total: makeTotal(rows),
    rows,
    ...(by === null ? {} : { by, groups: groupRows(rows, by) }),
    apart: simulated || made.length === 0 ? null : { total: makeTotal(made), rows: made },
    ...told,
  };
}

function makeTotal(rows: readonly BillRow[]): BillTotal {
  const sum = sumCosts(rows);
  return { usd: formatSpentUsd(sum.nanoUsd, sum.unpricedAttempts), ...sum };
}

/** By name for days and months, else the most expensive first. Jobs of the same name are distinguished by their path. */
export function groupRows(rows: readonly BillRow[], by: BillKey): readonly BillGroup[] {
  const folders = new Map<string, Set<string>>();
  for (const { job, state } of rows) folders.set(job, (folders.get(job) ?? new Set()).add(dirname(state)));
  const nameOf = (row: BillRow): string => {
    if (by === 'month') return row.day.slice(0, 7);
    if (by !== 'job') return row[by];
    return (folders.get(row.job)?.size ?? 0) > 1 ? `${row.job} (${dirname(row.state)})` : row.job;
  };
  const groups = new Map<string, BillRow[]>();
  for (const row of rows) {
    const name = nameOf(row);
    const members = groups.get(name) ?? [];
    members.push(row);
    groups.set(name, members);
  }
  const sums = [...groups].map(([name, members]) => ({ name, ...sumCosts(members) }));
  const isDated = by === 'day' || by === 'month';
  return sums.toSorted((a, b) => (isDated || a.nanoUsd === b.nanoUsd ? (a.name < b.name ? -1 : 1) : b.nanoUsd - a.nanoUsd));
}
