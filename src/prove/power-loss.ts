import fs from 'node:fs';
import path from 'node:path';
import type { Dice } from './dice.ts';
import type { NameChange, Unsynced } from './seam/plan.ts';

/** What stands in place of bytes that were lost: `nothing`, `zeros`, or a `hole` of zeros before the last byte. Any number of them are; with `least` all that may be. */
export interface Loss {
  readonly dice: Dice;
  readonly leaves: 'nothing' | 'zeros' | 'hole' | 'least';
}

/**
 * Leaves the disk as a power cut may: of what was not synced, files keep some of their bytes, or zeros in their place, and names are as they were
 * before some of the changes, the last ones.
 */
export function losePower(folder: string, { files, names }: Unsynced, { dice, leaves }: Loss): void {
  const paths = listInodes(folder);
  for (const { inode, syncedBytes } of files) {
    const file = paths.get(inode);
    if (file !== undefined) loseBytes(file, syncedBytes, { dice, leaves });
  }
  // All of them as often as not: what was made first is what everything else lies in.
  const lost = leaves === 'least' || dice.next() < 0.5 ? names.length : dice.between(0, names.length);
  for (const change of names.slice(names.length - lost).reverse()) undo(change);
}

function loseBytes(file: string, syncedBytes: number, { dice, leaves }: Loss): void {
  const { size } = fs.statSync(file);
  if (size <= syncedBytes) return;
  const left = leaves === 'least' ? syncedBytes : dice.between(syncedBytes, size);
  // Its length may be on the disk, and its bytes not; the block with the last of them may be, too.
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
