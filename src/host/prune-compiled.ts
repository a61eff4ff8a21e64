import { existsSync, readdirSync, statSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';

/** The name of a stored file: the path of the compiled file, or its last 200 characters, then a command, then the process that was writing it. */
const NAME = /^(.*%2F.*\.c?js)(?:\.[a-z]+)?(?:\.\d+)?$/;
const KEPT_MS = 30 * 86_400_000;
/** Others are examined the next time. */
const MOST_NAMES = 2_000;

/**
 * Removes compiled code of files that are gone, and code that was not used for a month, such as that of earlier versions.
 * Only files with our names are touched. No command fails because of it.
 */
export function pruneCompiled(folder: string, nowMs: number): void {
  try {
    for (const name of readdirSync(folder).slice(0, MOST_NAMES)) removeUseless(folder, name, nowMs);
  } catch {}
}

function removeUseless(folder: string, name: string, nowMs: number): void {
  try {
    if (isUseless(folder, name, nowMs)) unlinkSync(join(folder, name));
  } catch {}
}

function isUseless(folder: string, name: string, nowMs: number): boolean {
  const [, encoded] = NAME.exec(name) ?? [];
  if (encoded === undefined) return false;
  // A truncated name does not show where its file is.
  if (encoded.startsWith('%2F') && !existsSync(decodeURIComponent(encoded))) return true;
  const status = statSync(join(folder, name), { throwIfNoEntry: false });
  return status !== undefined && nowMs - Math.max(status.atimeMs, status.mtimeMs) > KEPT_MS;
}
