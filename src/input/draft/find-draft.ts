import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { UsageError } from '../../core/errors.ts';
import { isYaml, showFile } from '../table/find-files.ts';
import { readYaml } from '../yaml/yaml-source.ts';
import { type Asked, readAsked } from './asked.ts';
import { type DraftPlace, locateDrafts } from './locate-draft.ts';
import { isAsWritten } from './seal.ts';

/** The job file of a table, as it is on disk. */
export interface KnownDraft {
  readonly text: string;
  /** Its question; null once somebody has edited it: then it is theirs. */
  readonly asked: Asked | null;
  /** Its `write.path`; null if it has none. */
  readonly out: string | null;
}

/** Where a table's job file is, or will be. */
export interface FoundDraft {
  readonly place: DraftPlace;
  /** Null if there is none yet. */
  readonly known: KnownDraft | null;
}

/**
 * Finds the job file of a table: the one that names it as its input.
 * @param table absolute, or a glob
 * @throws UsageError if all its names are taken by files about something else
 */
export async function findDraft(table: string, cwd: string): Promise<FoundDraft> {
  const places = locateDrafts(table);
  let free: DraftPlace | null = null;
  for (const place of places) {
    const text = await readFile(place.file, 'utf8').catch(() => null);
    if (text === null) free ??= place;
    else {
      const { value, problems } = readYaml(text, place.file);
      // A file that cannot be read may well be about this table: it is left alone.
      if (problems.length > 0) return { place, known: { text, asked: null, out: null } };
      if (findInput(value, place.file) === table) {
        const { name = place.name } = value as { readonly name?: string };
        return { place: { ...place, name }, known: readKnown(value, text) };
      }
    }
  }
  if (free !== null) return { place: { ...free, name: await makeUnique(free.name, path.dirname(free.file)) }, known: null };
  const taken = places.map(({ file }) => showFile(file, cwd)).join(' and ');
  throw new UsageError(`${taken} are about something else; write a job file of another name: rowmill init my-job`);
}

function readKnown(value: unknown, text: string): KnownDraft {
  const { write } = value as { readonly write?: { readonly path?: unknown } };
  return { text, asked: isAsWritten(text) ? readAsked(value) : null, out: typeof write?.path === 'string' ? write.path : null };
}

function findInput(value: unknown, file: string): string | null {
  const input = (value as { readonly input?: { readonly path?: unknown } } | null)?.input?.path;
  return typeof input === 'string' ? path.resolve(path.dirname(file), input) : null;
}

/** A name no other job file of the folder has: jobs with the same name would share their state. `a (1).csv` and `a-1.csv` yield the same name. */
async function makeUnique(name: string, folder: string): Promise<string> {
  const files = (await readdir(folder).catch(() => [])).filter(isYaml);
  const texts = await Promise.all(files.map((file) => readFile(path.join(folder, file), 'utf8').catch(() => '')));
  // On macOS and Windows names of folders are case-insensitive.
  const taken = new Set(texts.map((text) => NAME.exec(text)?.[1]?.toLowerCase()));
  for (let number = 1; ; number += 1) {
    const candidate = number === 1 ? name : `${name}-${number}`;
    if (!taken.has(candidate.toLowerCase())) return candidate;
  }
}

/** The name of a job, as written in its file. */
const NAME = /^name:[ \t]*["']?([\w.-]+)/m;
