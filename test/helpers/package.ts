import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { projectRoot } from './project-root.ts';

const PATIENCE_MS = 240_000;

/** npm with these settings: it requests nothing from a registry that it was not given, and prints nothing. */
function npm(args: readonly string[], cwd = projectRoot): string {
  const quiet = ['--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error'];
  return execFileSync('npm', [...args, ...quiet], { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: PATIENCE_MS });
}

export function makeTemporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'rowmill-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Packs what would be published, as it was built, and installs it as a person does: below `prefix` for all, or in the project `cwd`. */
export function installPacked(where: { readonly prefix: string } | { readonly cwd: string }, folder: string): void {
  const tarball = join(folder, npm(['pack', '--ignore-scripts', '--pack-destination', folder]).trim().split('\n').at(-1) ?? '');
  if ('prefix' in where) npm(['install', '--global', '--offline', '--prefix', where.prefix, tarball]);
  else npm(['install', '--offline', tarball], where.cwd);
}

/**
 * The folder of a package that is no dependency of ours, put aside in `.cache`; null, or a failure where `REQUIRE_PACKAGES=1`, when it cannot be
 * had, as without a network.
 */
export function findPackageAside(name: string, range: string): string | null {
  const aside = join(projectRoot, '.cache', `${name}-${range}`);
  const found = join(aside, 'node_modules', name);
  if (existsSync(found)) return found;
  const partial = `${aside}.${process.pid}`;
  try {
    npm(['install', '--no-save', '--ignore-scripts', '--prefix', partial, `${name}@${range}`]);
    renameSync(partial, aside);
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    if (!existsSync(found) && process.env.REQUIRE_PACKAGES === '1') throw error;
  }
  return existsSync(found) ? found : null;
}

/** What a test says that lacks such a package. */
export function sayMissing(name: string, range: string): string {
  return `${name}@${range} is not to be had; with a network it comes by itself, or type: npm install --no-save --ignore-scripts --prefix .cache/${name}-${range} ${name}@${range}`;
}
