import fs from 'node:fs';
import path from 'node:path';
import type { LedgerFold } from '../events/fold.ts';
import { removeQuietly } from './durable-files.ts';

/** Folders that opening a state directory makes: as long as nothing came of it, they are empty. */
const FOLDERS = ['requests', 'responses'];
/** Files that say nothing by themselves then. */
const FILES = ['events.jsonl', 'place', 'reserve', 'settled.jsonl', 'status.json', 'stdin'];

/** Whether no run of a state directory has come to anything, as far as its ledger knows. */
export function isNeverUsed({ fold, files }: { readonly fold: LedgerFold; readonly files: readonly unknown[] }): boolean {
  const { runs, shards, batches, queuedCalls, openCalls, unknownCalls, learnedLimits } = fold;
  const known = [shards, batches, queuedCalls, openCalls, unknownCalls, learnedLimits].some(({ size }) => size > 0);
  return runs.length === 0 && files.length === 0 && !known;
}

/** Removes what opening a state directory has made, but for the lock. @returns false, with its files as they were, where something else is in it */
export function clearDirectory(directory: string): boolean {
  // A file the ledger does not know may be an answer that was paid for.
  if (!FOLDERS.every((name) => removeIfEmpty(path.join(directory, name)))) return false;
  for (const name of FILES) removeQuietly(path.join(directory, name));
  return true;
}

/** @returns false where it is not empty, which may be another process that has begun to use it */
export function removeIfEmpty(directory: string): boolean {
  try {
    fs.rmdirSync(directory);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}
