// Everything a contributor needs: compile (which checks types), lint, then every test on the compiled output.
// `--only-tests` runs the compiled tests alone, for a second Node version; `--slow` the slow ones alone, which the others leave out.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, mkdirSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';

const isSlow = process.argv.includes('--slow');
const LOG = '.cache/tests.log';
/** A process of tests that hangs fails, instead of holding everything up. */
const TEST_TIMEOUT_MS = 600_000;
/** Tests are short: collecting garbage on further threads and optimizing much would cost more than it saves. */
const SHORT_LIVED = ['--single-threaded-gc', '--sparkplug'];
/** The areas that take the longest, begun first; `redis` and `proof` wait a lot, beside which the others get on. */
const LONGEST_AREAS = ['proof', 'live', 'run', 'redis', 'cli'];
/** Where tests make their thousands of small files, if it is there and has room: memory, so that they do not wait for a disk. */
const MEMORY_FOLDER = '/dev/shm';
const MEMORY_BYTES = 2 ** 31;

function run(title, args, environment = process.env) {
  const startedAt = Date.now();
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit', env: environment });
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
  console.log(`${title}: ${status === 0 ? 'ok' : 'FAILED'}, ${seconds} s`);
  return status ?? 1;
}

function orExit(status) {
  if (status !== 0) process.exit(status);
}

/** Most lines of output that are shown of failing files. */
const MAX_SHOWN_LINES = 100;

/** Prints what skipped and failing files said, and how many tests there were; the dot reporter has shown the failed assertions. */
function summarize(log) {
  const count = (word) => Number(new RegExp(`^ℹ ${word} (\\d+)$`, 'm').exec(log)?.[1] ?? 0);
  const [passed, failed, skipped] = [count('pass'), count('fail') + count('cancelled'), count('skipped')];
  const lines = log.split('\n');
  if (failed > 0) {
    const said = lines.slice(0, lines.indexOf('✖ failing tests:')).filter((line) => line !== '' && !/^\s*[✔✖▶ℹ﹣]/.test(line));
    console.log(said.slice(0, MAX_SHOWN_LINES).join('\n'));
  }
  for (const [reason, tests] of groupSkips(lines))
    console.log(`skipped ${tests.length}: ${reason} (${tests[0]}${tests.length > 1 ? ', …' : ''})`);
  console.log(`${count('tests')} tests on Node ${process.versions.node}: ${passed} passed, ${failed} failed, ${skipped} skipped (${LOG})`);
  if (!isSlow) console.log('Left out here: the slow ones, by npm run test:slow.');
  // A run that tested nothing is no success.
  return passed === 0 ? 1 : 0;
}

function chooseTemporaryFolder() {
  try {
    accessSync(MEMORY_FOLDER, constants.W_OK);
    const { bavail, bsize } = statfsSync(MEMORY_FOLDER);
    return bavail * bsize >= MEMORY_BYTES ? MEMORY_FOLDER : tmpdir();
  } catch {
    return tmpdir();
  }
}

/** Titles of skipped tests by the reason they give. */
function groupSkips(lines) {
  const groups = new Map();
  for (const line of lines) {
    const [, title, reason = 'no reason given'] = /^\s*﹣ (.*?) \([\d.]+ms\)(?: # (.*))?$/.exec(line) ?? [];
    if (title !== undefined) groups.set(reason, [...(groups.get(reason) ?? []), title]);
  }
  return groups;
}

/**
 * Writes one file per area (`run.again.test.js` is of the area `run`, `live.redis-restart.test.js` of `redis`) that imports its test files: loading the same modules anew for each file
 * took as long as testing. @returns paths, in the order in which they are begun
 */
function writeAreas(files) {
  const folder = '.cache/areas';
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const areaOf = (name) => (/^live\.(redis|conformance)/.test(name) ? 'redis' : name.split('.')[0]);
  const areas = [...new Set(files.map(areaOf))];
  const rank = (area) => (LONGEST_AREAS.includes(area) ? LONGEST_AREAS.indexOf(area) : LONGEST_AREAS.length);
  return areas
    .sort((a, b) => rank(a) - rank(b))
    .map((area, index) => {
      const path = `${folder}/${String(index).padStart(2, '0')}-${area}.test.mjs`;
      const members = files.filter((name) => areaOf(name) === area);
      writeFileSync(path, members.map((name) => `import '../../dist/test/${name}';\n`).join(''));
      return path;
    });
}

if (!isSlow && !process.argv.includes('--only-tests')) {
  orExit(run('types', ['scripts/build.mjs']));
  orExit(run('lint', ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.']));
}
const files = readdirSync('dist/test').filter((name) => name.endsWith('.test.js') && name.startsWith('slow.') === isSlow);
const testArguments = [
  ...SHORT_LIVED,
  '--test',
  `--test-concurrency=${Math.max(3, availableParallelism() - 1)}`,
  `--test-timeout=${TEST_TIMEOUT_MS}`,
  '--test-reporter=dot',
  '--test-reporter-destination=stdout',
  '--test-reporter=spec',
  `--test-reporter-destination=${LOG}`,
  ...writeAreas(files),
];
const status = run(`tests of ${files.length} files`, testArguments, { ...process.env, TMPDIR: chooseTemporaryFolder() });
process.exit(summarize(readFileSync(LOG, 'utf8')) || status);
