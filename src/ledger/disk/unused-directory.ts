import fs from 'node:fs';
import path from 'node:path';
import type { LedgerFold } from '../events/fold.ts';
import { removeQuietly } from './durable-files.ts';

/** Folders created by opening a state directory: as long as nothing came of it, they are empty. */
const FOLDERS = ['requests', 'responses'];
/** Files that mean nothing by themselves then. */
const FILES = ['events.jsonl', 'keys', 'place', 'reserve', 'settled.jsonl', 'status.json', 'stdin'];

/** Whether no run of a state directory has achieved anything, as far as its ledger knows. */
export function isNeverUsed({ fold, files }: { readonly fold: LedgerFold; readonly files: readonly unknown[] }): boolean {
  const { runs, shards, batches, queuedCalls, openCalls, unknownCalls, learnedLimits } = fold;
  const known = [shards, batches, queuedCalls, openCalls, unknownCalls, learnedLimits].some(({ size }) => size > 0);
  return runs.length === 0 && files.length === 0 && !known;
}

/** Removes what opening a state directory created, except the lock. @returns false, with its files unchanged, if it contains anything else */
export function clearDirectory(directory: string): boolean {
  // A file the ledger does not know may be a paid answer.
  if (!FOLDERS.every((name) => removeIfEmpty(path.join(directory, name)))) return false;
  for (const name of FILES) removeQuietly(path.join(directory, name));
  return true;
}

/** @returns false if it is not empty, possibly because another process has started to use it */
export function removeIfEmpty(directory: string): boolean {
  try {
    fs.rmdirSync(directory);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}
