import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from './project-root.ts';

/** A server to start: the program, and where the dynamic linker finds what it needs beside the system's libraries. */
export interface RedisProgram {
  readonly path: string;
  readonly libraryPath: string | null;
}

const CACHE = join(projectRoot, '.cache', 'redis');
const PACKAGE = 'redis-tools';
const PATIENCE_MS = 60_000;
/** Always there, and unfit to be mixed with the system's own. */
const LEFT_OUT = new Set(['adduser', 'libc6']);

/** A server on PATH, else the distribution's own package, unpacked into `.cache/redis` and never installed; null where neither can be had. */
export function findRedisProgram(): RedisProgram | null {
  for (const name of ['valkey-server', 'redis-server']) {
    const found = (process.env.PATH ?? '').split(':').find((folder) => folder !== '' && existsSync(join(folder, name)));
    if (found !== undefined) return { path: join(found, name), libraryPath: null };
  }
  return findUnpacked() ?? unpack();
}

function findUnpacked(): RedisProgram | null {
  const path = join(CACHE, 'usr', 'bin', 'redis-server');
  if (!existsSync(path)) return null;
  const libraries = join(CACHE, 'usr', 'lib');
  const machine = readdirSync(libraries).filter((name) => name.includes('linux'));
  return { path, libraryPath: machine.map((name) => join(libraries, name)).join(':') };
}

/** Downloads and unpacks next to the final place and renames, so that test files running at the same time never see half a server. */
function unpack(): RedisProgram | null {
  const folder = `${CACHE}.${process.pid}`;
  try {
    const unpacked = join(folder, 'unpacked');
    mkdirSync(unpacked, { recursive: true });
    downloadPackages(folder);
    const archives = readdirSync(folder).filter((name) => name.endsWith('.deb'));
    for (const archive of archives) execFileSync('dpkg', ['-x', join(folder, archive), unpacked], { stdio: 'ignore' });
    // The package of the tools holds the whole server as `redis-check-rdb`: the program decides by its name what it does.
    symlinkSync('redis-check-rdb', join(unpacked, 'usr', 'bin', 'redis-server'));
    try {
      renameSync(unpacked, CACHE);
    } catch {
      // Another test file was quicker.
    }
    return findUnpacked();
  } catch {
    return null;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function downloadPackages(folder: string): void {
  try {
    downloadWithNeeds(folder, []);
  } catch {
    // No package lists on this machine, as in a slim container: fetch them into a folder of our own, which needs no root.
    const lists = join(folder, 'lists');
    mkdirSync(join(lists, 'partial'), { recursive: true });
    const options = ['-o', `Dir::State::Lists=${lists}`, '-o', `Dir::Cache=${folder}`, '-o', 'Debug::NoLocking=1'];
    execFileSync('apt-get', [...options, 'update'], { stdio: 'ignore', timeout: PATIENCE_MS });
    downloadWithNeeds(folder, options);
  }
}

/** The package and the libraries it names; libraries have other names from one release to the next. */
function downloadWithNeeds(folder: string, options: readonly string[]): void {
  const said = execFileSync('apt-cache', [...options, 'depends', PACKAGE], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const needs = [...said.matchAll(/^ *Depends: ([a-z0-9.+-]+)$/gm)].map((match) => match[1] as string);
  const names = [PACKAGE, ...needs.filter((name) => !LEFT_OUT.has(name))];
  execFileSync('apt-get', [...options, 'download', ...names], { cwd: folder, stdio: 'ignore', timeout: PATIENCE_MS });
}
