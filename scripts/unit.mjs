// `npm run unit -- PATTERN`: compiles, then runs the test files whose name matches or, where no name does, the tests whose title matches.
// The pattern is a regular expression; slow tests are found like all others.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { listTestFiles, runTests } from './run-tests.mjs';
import { NOTHING_RAN } from './test-reporter.mjs';

const pattern = process.argv.slice(2).join(' ');
if (pattern === '') {
  console.error('which tests? npm run unit -- PATTERN, which is matched against file names, then titles');
  process.exit(2);
}
const { status } = spawnSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' });
if (status !== 0) process.exit(status ?? 1);
const expression = new RegExp(pattern);
const files = listTestFiles();
const named = files.filter((name) => expression.test(name));
const ended = named.length > 0 ? runTests(named) : runTitles();
if (ended === NOTHING_RAN) console.error(`no test file and no title of a test matches ${pattern}`);
process.exit(ended);

/** Loading every test takes half a minute, so files that contain the title literally come first; a title may also be composed. */
function runTitles() {
  const likely = files.filter((name) => expression.test(readFileSync(`dist/test/${name}`, 'utf8')));
  const first = likely.length > 0 ? runTests(likely, { titlePattern: pattern }) : NOTHING_RAN;
  return first === NOTHING_RAN ? runTests(files, { titlePattern: pattern }) : first;
}
