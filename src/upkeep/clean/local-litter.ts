import { randomUUID } from 'node:crypto';
import { existsSync, lstatSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { listNames, TEMPORARY_PREFIX } from '../../ledger/disk/durable-files.ts';
import type { LedgerFold } from '../../ledger/events/fold.ts';
import { makeBilledName } from '../../ledger/response-file.ts';
import { openRunFiles } from '../../ledger/runs.ts';
import { findLeftovers } from '../../output/atomic-file.ts';
import { failuresPath, partialPath, reportPath } from '../../output/output-paths.ts';
import type { KeptSummary } from '../../run/open/kept-summary.ts';
import type { StateFacts } from './state-facts.ts';

/** Something on this disk that may be removed. */
export interface Litter {
  readonly path: string;
  readonly bytes: number;
}

/** What early versions kept of a table, and what is left of one that was being piped in. */
const DERIVED = ['table.rows', 'table.rows.part', 'stdin.part'];

/**
 * Files of runs that ended before `before`: their summaries, the figures of their pages and the lists of their rows, no answers and no costs.
 * The last run with a summary stays, whatever its age: `verify`, `report` and "nothing to do" need it.
 */
export function findOldRuns(directory: string, { runs, currentRun }: LedgerFold, before: string): readonly Litter[] {
  const kept = openRunFiles(directory, randomUUID);
  const names = new Set(kept.listRuns());
  const lastKept = runs.findLast(({ id }) => names.has(id) && existsSync(join(directory, 'runs', id, 'summary.json')))?.id;
  const old = runs.filter(({ id, endedAt }) => endedAt !== null && endedAt < before && id !== lastKept && id !== currentRun?.id);
  return old.filter(({ id }) => names.has(id)).map(({ id }) => measure(join(directory, 'runs', id)));
}

/** Leftovers of killed runs, here and next to the tables they wrote; nothing that is recorded, and nothing that is still to be sent. */
export async function findLocalLeftovers(directory: string, facts: StateFacts, fold: LedgerFold): Promise<readonly Litter[]> {
  const folders = ['', 'requests', 'responses', ...listNames(join(directory, 'runs')).map((run) => join('runs', run))];
  const temporary = folders.flatMap((folder) =>
    listIn(join(directory, folder)).filter((file) => basename(file).startsWith(TEMPORARY_PREFIX)),
  );
  const derived = DERIVED.map((name) => join(directory, name)).filter((file) => existsSync(file));
  const sent = listIn(join(directory, 'requests')).filter((file) => isSpent(basename(file), fold));
  const beside = await Promise.all(listWritten(directory).map((file) => findLeftovers(file).catch(() => [])));
  return [...new Set([...temporary, ...derived, ...sent, ...findHalfRemoved(directory, facts), ...beside.flat()])].map(measure);
}

/** Of an interrupted removal of answers: what it was about to keep, or what was to be removed. */
function findHalfRemoved(directory: string, { announced, parts }: StateFacts): readonly string[] {
  const responses = join(directory, 'responses');
  const pairs = [...new Set(parts.map(({ file }) => file))].filter(
    (file) => existsSync(join(responses, file)) && existsSync(join(responses, makeBilledName(file))),
  );
  return pairs.map((file) => join(responses, announced.has(file) ? file : makeBilledName(file)));
}

function isSpent(name: string, fold: LedgerFold): boolean {
  if (!/^\d{6}\.jsonl$/.test(name)) return false;
  const status = fold.shards.get(name.slice(0, 6))?.status;
  return status === 'collected' || status === 'retired';
}

/** Every table written by the kept runs, and the files that belong to each. */
function listWritten(directory: string): readonly string[] {
  const kept = openRunFiles(directory, randomUUID);
  const tables = kept.listRuns().flatMap((run) => {
    const summary = kept.readRunSummary(run, () => {}) as KeptSummary | null;
    return summary?.fingerprint == null ? [] : [summary.fingerprint.table];
  });
  return [...new Set(tables)]
    .flatMap((table) => [table, partialPath(table)])
    .flatMap((table) => [table, failuresPath(table), reportPath(table)]);
}

function listIn(folder: string): readonly string[] {
  return listNames(folder).map((name) => join(folder, name));
}

/** A file, or a folder with all its content. */
export function measure(path: string): Litter {
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (status === undefined) return { path, bytes: 0 };
  if (!status.isDirectory()) return { path, bytes: status.size };
  const bytes = readdirSync(path).reduce((sum, name) => sum + measure(join(path, name)).bytes, 0);
  return { path, bytes };
}
