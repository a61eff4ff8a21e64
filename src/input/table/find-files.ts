import fs from 'node:fs/promises';
import path from 'node:path';
import { suggestFile } from '../../core/disk/suggest-file.ts';
import { UsageError } from '../../core/errors.ts';
import { describeForeign, HEAD_BYTES } from './foreign-file.ts';
import type { TableFile } from './read-bytes.ts';

/**
 * The files of a table: the path itself, or what a glob matches, sorted by path. `*` and `?` stay within one name, `**` spans folders;
 * names that start with a dot are matched only by a pattern with the dot.
 * @throws UsageError if there is none, or one cannot be read
 */
export async function findFiles(pattern: string, cwd: string): Promise<readonly TableFile[]> {
  const paths = await listPaths(pattern, cwd);
  return Promise.all(paths.map((file) => checkFile({ path: file, shown: showFile(file, cwd) })));
}

/** Files of any kind, likewise; empty ones too. @throws UsageError if there is none */
export async function findDocuments(pattern: string, cwd: string): Promise<readonly TableFile[]> {
  const files: TableFile[] = [];
  for (const file of await listPaths(pattern, cwd)) {
    const status = await fs.stat(file).catch(() => null);
    if (status === null && file === pattern) throw refused(`${showFile(file, cwd)}: no such document${suggestFile(file)}`);
    if (status === null) throw refused(`${showFile(file, cwd)}: is a broken link; remove it, or name other files`);
    if (status.isFile()) files.push({ path: file, shown: showFile(file, cwd) });
  }
  if (files.length === 0)
    throw refused(`${showFile(pattern, cwd)}: is not a file; name files by a glob like ${path.join(showFile(pattern, cwd), '**/*.txt')}`);
  return files;
}

async function listPaths(pattern: string, cwd: string): Promise<readonly string[]> {
  if (!(await isGlob(pattern))) return [pattern];
  const found = await Promise.all(expandBraces(pattern).map(matchGlob));
  const paths = [...new Set(found.flat())].sort();
  if (paths.length === 0) throw refused(`${showFile(pattern, cwd)}: no file matches`);
  return paths;
}

/** `*.{txt,md}` is `*.txt` and `*.md`; of nested braces the inner ones come first. */
function expandBraces(pattern: string): readonly string[] {
  const found = /\{([^{}]*,[^{}]*)\}/.exec(pattern);
  if (found === null) return [pattern];
  const [whole, choices = ''] = found;
  const before = pattern.slice(0, found.index);
  return choices.split(',').flatMap((choice) => expandBraces(before + choice + pattern.slice(found.index + whole.length)));
}

/** Whether a file with this path, which may not exist yet, would be one of the files of a table. */
export async function wouldBeFound(pattern: string, file: string): Promise<boolean> {
  if (!(await isGlob(pattern))) return false;
  const names = path.resolve(file).split(path.sep);
  return expandBraces(path.resolve(pattern)).some((one) => matchesParts(one.split(path.sep), names));
}

async function isGlob(pattern: string): Promise<boolean> {
  return /[*?]|\{.*,.*\}/.test(pattern) && !(await exists(pattern));
}

function matchesParts([part, ...parts]: readonly string[], names: readonly string[]): boolean {
  const [name, ...rest] = names;
  if (part === undefined || name === undefined) return part === undefined && name === undefined;
  if (part !== '**') return matchName(part, name) && matchesParts(parts, rest);
  return matchesParts(parts, names) || (!name.startsWith('.') && matchesParts([part, ...parts], rest));
}

/** A path as shown to the user: relative if below the working directory. */
export function showFile(absolute: string, cwd: string): string {
  const relative = path.relative(cwd, absolute);
  return relative === '' || relative.startsWith('..') || path.isAbsolute(relative) ? absolute : relative;
}

async function checkFile(file: TableFile): Promise<TableFile> {
  try {
    const status = await fs.stat(file.path);
    if (status.isDirectory()) throw refused(`${file.shown}: is a directory; name a file, or a glob like ${path.join(file.shown, '*.csv')}`);
    if (!status.isFile())
      throw refused(`${file.shown}: is not a regular file; a table is read several times. Use - to read standard input`);
    if (status.size === 0) throw refused(`${file.shown}: is empty`);
    await fs.access(file.path, fs.constants.R_OK);
    const foreign = isYaml(file.path) ? `${file.shown}: is a job file (YAML), not a table` : await findForeign(file);
    if (foreign !== null) throw refused(foreign);
    return file;
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') throw refused(`${file.shown}: no such table${suggestFile(file.path)}`);
    if (code === 'EACCES' || code === 'EPERM') throw refused(`${file.shown}: no permission to read it`);
    throw refused(`${file.shown}: cannot be read (${(error as Error).message})`);
  }
}

/** Whether a file is a job file by its name. */
export function isYaml(file: string): boolean {
  return /\.ya?ml$/i.test(file);
}

async function findForeign({ path: file, shown }: TableFile): Promise<string | null> {
  await using handle = await fs.open(file);
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
  return describeForeign(shown, buffer.subarray(0, bytesRead));
}

async function exists(file: string): Promise<boolean> {
  return fs.stat(file).then(
    () => true,
    () => false,
  );
}

async function matchGlob(pattern: string): Promise<string[]> {
  const { root } = path.parse(pattern);
  const parts = pattern.slice(root.length).split(/[\\/]+/);
  return [...new Set(await matchParts(root, parts))].sort();
}

async function matchParts(directory: string, parts: readonly string[]): Promise<string[]> {
  const [part, ...rest] = parts;
  if (part === undefined) return [];
  if (part !== '**' && !/[*?]/.test(part)) {
    const next = path.join(directory, part);
    if (rest.length > 0) return matchParts(next, rest);
    return (await exists(next)) ? [next] : [];
  }
  const entries = await fs.readdir(directory, { withFileTypes: true }).catch(() => []);
  const here = part === '**' ? await matchParts(directory, rest) : [];
  const below = await Promise.all(
    entries.map((entry) => {
      const next = path.join(directory, entry.name);
      if (part === '**') return entry.isDirectory() && !entry.name.startsWith('.') ? matchParts(next, parts) : [];
      if (!matchName(part, entry.name)) return [];
      if (rest.length > 0) return entry.isDirectory() ? matchParts(next, rest) : [];
      return entry.isDirectory() ? [] : [next];
    }),
  );
  return [...here, ...below.flat()];
}

function matchName(part: string, name: string): boolean {
  if (name.startsWith('.') && !part.startsWith('.')) return false;
  const source = part
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll(/\*+/g, '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's').test(name);
}

function refused(message: string): UsageError {
  return new UsageError(message, { code: 'table' });
}
