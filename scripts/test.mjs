// Everything a contributor needs: compile (which checks types), lint, then every test on the compiled output.
// `node scripts/test.mjs --only-tests` runs the compiled tests alone, for a second Node version.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';

const onlyTests = process.argv.includes('--only-tests');

function run(title, args) {
  const startedAt = Date.now();
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  if (status !== 0) {
    console.error(`${title} failed`);
    process.exit(status ?? 1);
  }
  console.log(`${title}: ${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
}

if (!onlyTests) {
  run('types', ['scripts/build.mjs']);
  run('lint', ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.']);
}
const files = readdirSync('dist/test').filter((name) => name.endsWith('.test.js'));
run('tests', [
  '--test',
  '--test-reporter=dot',
  '--test-reporter-destination=stdout',
  '--test-reporter=spec',
  '--test-reporter-destination=.cache/tests.log',
  ...files.map((name) => `dist/test/${name}`),
]);
