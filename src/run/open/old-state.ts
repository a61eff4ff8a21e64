import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Job } from '../../core/job.ts';
import { listNames } from '../../ledger/disk/durable-files.ts';
import type { LockOptions } from '../../ledger/disk/lock.ts';
import { takeLock } from '../../ledger/disk/lock.ts';
import { earlierOriginOf, originOf } from '../../ledger/origin.ts';
import { openRunFiles } from '../../ledger/runs.ts';
import type { KeptSummary } from './kept-summary.ts';
import { locateStateDirectory } from './target.ts';

/**
 * The state directory an early version made for this base URL, named by host and port alone; null if there is none, if one with the
 * right name exists, or if its last run is known to have used another base URL.
 */
export function findOldState(job: Pick<Job, 'name' | 'directory'>, origin: string, root: string | null): string | null {
  const earlier = earlierOriginOf(origin);
  if (earlier === null || existsSync(locateStateDirectory(job, origin, root))) return null;
  const directory = locateStateDirectory(job, earlier, root);
  if (!existsSync(join(directory, 'events.jsonl'))) return null;
  const baseUrl = readLastBaseUrl(directory);
  return baseUrl === null || originOf(baseUrl) === origin ? directory : null;
}

/** Renames the directory, holding its lock. @throws LockHeldError while a run is using it */
export async function renameOldState(from: string, to: string, lock: Omit<LockOptions, 'directory'>): Promise<void> {
  const held = await takeLock({ ...lock, directory: from });
  renameSync(from, to);
  held.release();
  rmSync(join(to, 'lock'), { force: true });
}

/** Runs are named by when they started. */
function readLastBaseUrl(directory: string): string | null {
  for (const run of listNames(join(directory, 'runs')).toReversed()) {
    try {
      const kept = openRunFiles(directory, () => '').readRunSummary(run) as Partial<KeptSummary> | null;
      if (typeof kept?.paths?.baseUrl === 'string' && URL.canParse(kept.paths.baseUrl)) return kept.paths.baseUrl;
    } catch {
      // A run that stored nothing.
    }
  }
  return null;
}
