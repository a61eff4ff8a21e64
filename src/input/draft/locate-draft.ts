import { existsSync } from 'node:fs';
import path from 'node:path';

/** The path of a table's job file, and the name of its job. */
export interface DraftPlace {
  /** Absolute. */
  readonly file: string;
  readonly name: string;
  /** The output table, relative to the file and without an extension: `reviews.out` for `reviews.csv.gz`. */
  readonly out: string;
}

const EXTENSION = /\.(csv|tsv|tab|txt|jsonl|ndjson|json|parquet|xlsx|xlsm)(\.gz)?$/i;
const MAX_NAME = 64;

/**
 * Next to the table, so that it is the same job from any working directory. The second path is for a table whose first one is taken, for example by a table of another
 * format with the same name. For a glob the name is that of the folder, and output goes where the glob does not match it.
 * @param table absolute, or a glob
 */
export function locateDrafts(table: string): readonly DraftPlace[] {
  // As the reader does: a file whose name looks like a glob is that file.
  const isGlob = /[*?]/.test(table) && !existsSync(table);
  const folder = isGlob ? findPlainFolder(table) : path.dirname(table);
  const base = (isGlob ? path.basename(folder) : path.basename(table)) || 'table';
  const stem = (isGlob ? base : base.replace(EXTENSION, '')) || base;
  const makePlace = (name: string): DraftPlace => ({
    file: path.join(folder, `${name}.yaml`),
    name: makeJobName(name),
    out: !isGlob ? `${name}.out` : table.includes('**') ? `../${name}.out` : `out/${name}`,
  });
  return [makePlace(stem), makePlace(base === stem ? `${stem}.job` : base)];
}

/** The folder of a path up to its first part with a wildcard. */
function findPlainFolder(table: string): string {
  const parts = path.dirname(table).split(path.sep);
  const wild = parts.findIndex((part) => /[*?]/.test(part));
  return wild === -1 ? path.dirname(table) : parts.slice(0, wild).join(path.sep) || path.sep;
}

/** A job's name allows fewer characters than a file's. If characters had to be removed, a number tells such names apart. */
function makeJobName(stem: string): string {
  const plain = stem.normalize('NFKD').replaceAll(/\p{M}/gu, '');
  const name = plain.replaceAll(/[^A-Za-z0-9._-]+/g, '-').replaceAll(/^[^A-Za-z0-9]+|-+$/g, '');
  const isWhole = name.length <= MAX_NAME && !/(?![A-Za-z0-9])[\p{L}\p{N}]/u.test(plain);
  if (isWhole && name !== '') return name;
  // Not imported: every start would load it, for a name that is hardly ever needed.
  const number = process.getBuiltinModule('node:crypto').hash('sha256', stem).slice(0, 6);
  return `${name.slice(0, MAX_NAME - 7) || 'table'}-${number}`;
}
