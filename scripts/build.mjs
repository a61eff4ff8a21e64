// Compiles src, test and bench into dist/ with the project's own TypeScript; the bin must be executable for `npx rowmill` in a clone.
import { spawnSync } from 'node:child_process';
import { chmodSync, rmSync } from 'node:fs';

rmSync('dist', { recursive: true, force: true });
const compiler = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', '.'], { stdio: 'inherit' });
if (compiler.status !== 0) process.exit(compiler.status ?? 1);
chmodSync('dist/src/cli/main.js', 0o755);
