import fs from 'node:fs';
import path from 'node:path';
import { type Holder, isDamaged, readHolder } from './lock-file.ts';
import { type ProcessIdentity, seeProcess } from './process-identity.ts';

/** Who holds the lock of a state directory, according to its file; null if nobody does, if only a process seen to be dead does, or if the file is damaged. */
export function findHolder(directory: string, own: ProcessIdentity): Holder | null {
  const holder = readHolder(path.join(directory, 'lock'))?.holder ?? null;
  return holder === null || isDamaged(holder) || seeProcess(holder, own) === 'dead' ? null : holder;
}

/** Starts watching a directory that is about to be read. @returns whether nobody has worked on it since: what was read is how the last process left it */
export function watchForRest(directory: string, own: ProcessIdentity): () => boolean {
  const before = markRest(directory, own);
  return () => before !== null && before === markRest(directory, own);
}

/** Identifies the log of a directory that nobody holds; null if somebody does, or if it cannot be told. */
function markRest(directory: string, own: ProcessIdentity): string | null {
  try {
    if (findHolder(directory, own) !== null) return null;
    const { size, mtimeNs } = fs.statSync(path.join(directory, 'events.jsonl'), { bigint: true });
    return `${size} ${mtimeNs}`;
  } catch {
    return null;
  }
}
