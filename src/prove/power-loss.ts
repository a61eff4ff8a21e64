import fs from 'node:fs';
import path from 'node:path';
import type { Dice } from './dice.ts';
import type { NameChange, Unsynced } from './seam/plan.ts';

/** What replaces lost bytes: `nothing`, `zeros`, or a `hole` of zeros before the last byte. Any number of bytes is lost; with `least`, as many as possible. */
export interface Loss {
  readonly dice: Dice;
  readonly leaves: 'nothing' | 'zeros' | 'hole' | 'least';
}

/**
 * Leaves the disk as after a power cut: of what was not synced, files keep some of their bytes, or zeros in their place, and names are as they were
 * before some of the last changes.
 */
export function losePower(folder: string, { files, names }: Unsynced, { dice, leaves }: Loss): void {
  const paths = listInodes(folder);
  for (const { inode, syncedBytes } of files) {
    const file = paths.get(inode);
    if (file !== undefined) loseBytes(file, syncedBytes, { dice, leaves });
  }
  // All of them in half of the cases: what was created first contains everything else.
  const lost = leaves === 'least' || dice.next() < 0.5 ? names.length : dice.between(0, names.length);
  for (const change of names.slice(names.length - lost).reverse()) undo(change);
}

function loseBytes(file: string, syncedBytes: number, { dice, leaves }: Loss): void {
  const { size } = fs.statSync(file);
  if (size <= syncedBytes) return;
  const left = leaves === 'least' ? syncedBytes : dice.between(syncedBytes, size);
  // The disk may have its length but not its bytes; or the block with its last bytes as well.
  const end = leaves === 'hole' ? fs.readFileSync(file).subarray(Math.max(left, size - 1)) : Buffer.alloc(0);
  fs.truncateSync(file, left);
  if (leaves !== 'zeros' && leaves !== 'hole') return;
  fs.truncateSync(file, size - end.length);
  fs.appendFileSync(file, end);
}

function undo(change: NameChange): void {
  if (change.type === 'made') fs.rmSync(change.path, { recursive: true, force: true });
  else if (change.type === 'renamed') {
    if (fs.existsSync(change.path)) fs.renameSync(change.path, change.from);
    if (change.backup !== null) fs.linkSync(change.backup, change.path);
  } else if (!fs.existsSync(change.path) && fs.existsSync(path.dirname(change.path))) fs.linkSync(change.backup, change.path);
}

function listInodes(folder: string): Map<number, string> {
  const names = fs.readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => path.join(folder, name));
  return new Map(names.map((file) => [fs.statSync(file).ino, file]));
}
