// Compiles src, test and bench into dist/ with the project's own TypeScript, which is the check of types too, writes the tokenizers' tables and
// bundles what ships; only what changed is made anew.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeBundle } from './bundle.mjs';
import { makeTypes } from './bundle-types.mjs';
import { makeRanks } from './ranks.mjs';

/** What TypeScript remembers lies in the folder it describes, so that neither goes without the other. */
const REMEMBERED = ['--incremental', '--tsBuildInfoFile', 'dist/tsconfig.tsbuildinfo'];

/** A file that was moved or removed must not go on as a compiled one: its tests would still run. */
function removeLeftovers() {
  for (const name of readdirSync('dist', { recursive: true })) {
    if (name.startsWith('bundle')) continue;
    const source = name.replace(/(\.d\.ts|\.js)$/, '.ts');
    if (source !== name && !existsSync(source)) rmSync(join('dist', name));
  }
}

const compiler = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', '.', ...REMEMBERED], { stdio: 'inherit' });
if (compiler.status !== 0) process.exit(compiler.status ?? 1);
removeLeftovers();
await makeRanks();
await makeBundle();
makeTypes();
