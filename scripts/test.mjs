// `npm test`: types, lint, then every test on the compiled output except the slow ones.
// `--only-tests` runs only the compiled tests, for a second Node version; `--slow` the slow ones, and every case of the tables of which `npm test` tries some.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { listTestFiles, runTests, runTestsTwice } from './run-tests.mjs';

const isSlow = process.argv.includes('--slow');

function check(title, args) {
  const startedAtMs = performance.now();
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  console.log(`${title}: ${status === 0 ? 'ok' : 'FAILED'}, ${((performance.now() - startedAtMs) / 1000).toFixed(1)} s`);
  if (status !== 0) process.exit(status ?? 1);
}

if (!isSlow && !process.argv.includes('--only-tests')) {
  check('types', ['scripts/build.mjs']);
  check('lint', ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.']);
}
if (!isSlow) console.log('The slow tests, and most cases of long tables, are left out: npm run test:slow.');
process.exit(
  isSlow
    ? runTestsTwice(listTestFiles().filter((name) => isSlowTest(name) || hasWideTable(name)))
    : runTests(
        listTestFiles().filter((name) => !isSlowTest(name)),
        { triesAll: false },
      ),
);

function isSlowTest(name) {
  return name.startsWith('slow.');
}

function hasWideTable(name) {
  return readFileSync(`dist/test/${name}`, 'utf8').includes('./helpers/wide.js');
}
