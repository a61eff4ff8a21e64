import path from 'node:path';
import { type Operation, original } from './patch-fs.ts';
import type { NameChange, Unsynced } from './plan.ts';

/** Keeps track of what was not synced. */
export interface UnsyncedTracker {
  /** Called before an operation: what it will replace or remove gets a second name, so that it can be restored. */
  begin(operation: Operation): void;
  end(operation: Operation): void;
  read(): Unsynced;
}

/** @param backups a folder for the second names, on the same disk */
export function createUnsyncedTracker(backups: string): UnsyncedTracker {
  const syncedBytes = new Map<number, number>();
  let names: NameChange[] = [];
  let kept = 0;
  /** What was at a name before the current operation; null if there was nothing. */
  const before = new Map<string, string | null>();

  function keep(file: string): string | null {
    const found = original.lstatSync(file, { throwIfNoEntry: false });
    if (found === undefined || !found.isFile()) return null;
    original.mkdirSync(backups, { recursive: true });
    kept += 1;
    const backup = path.join(backups, String(kept));
    original.linkSync(file, backup);
    return backup;
  }

  function noteSync(file: string): void {
    const found = original.statSync(file, { throwIfNoEntry: false });
    if (found === undefined) return;
    if (found.isDirectory()) names = names.filter((change) => path.dirname(change.path) !== file);
    else syncedBytes.set(found.ino, found.size);
  }

  function noteName(operation: Operation): void {
    const { kind, path: file, from } = operation;
    const backup = before.get(file) ?? null;
    before.delete(file);
    if (kind === 'rename' && from !== null) names.push({ type: 'renamed', from, path: file, backup });
    else if (kind === 'remove' && backup !== null) names.push({ type: 'removed', path: file, backup });
    else if ((kind === 'open' || kind === 'link' || kind === 'mkdir' || kind === 'write') && isNew.delete(file)) {
      names.push({ type: 'made', path: file, backup: null });
      const found = original.lstatSync(file, { throwIfNoEntry: false });
      if (found?.isFile() && kind !== 'link') syncedBytes.set(found.ino, 0);
    }
  }

  const isNew = new Set<string>();
  return {
    begin({ kind, path: file }) {
      if (kind === 'rename' || kind === 'remove') before.set(file, keep(file));
      if (['open', 'link', 'mkdir', 'write'].includes(kind) && !original.existsSync(file)) isNew.add(file);
    },
    end(operation) {
      if (operation.kind === 'sync') return noteSync(operation.path);
      noteName(operation);
      if (operation.kind !== 'write' && operation.kind !== 'open') return;
      // The content of a file when it was opened existed before this life.
      const found = original.statSync(operation.path, { throwIfNoEntry: false });
      if (found !== undefined && !syncedBytes.has(found.ino)) syncedBytes.set(found.ino, found.size);
    },
    read: () => ({ files: [...syncedBytes].map(([inode, bytes]) => ({ inode, syncedBytes: bytes })), names }),
  };
}
