// Compiles src, test and bench into dist/ with the project's own TypeScript, which also checks the types, writes the tokenizers' tables and
// bundles the published code; only what changed is built again.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeBundle } from './bundle.mjs';
import { makeTypes } from './bundle-types.mjs';
import { makeRanks } from './ranks.mjs';

/** TypeScript's build information is in the folder it describes, so that neither is removed without the other. */
const REMEMBERED = ['--incremental', '--tsBuildInfoFile', 'dist/tsconfig.tsbuildinfo'];

/** The compiled version of a moved or removed file must not stay: its tests would still run. */
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
