import { spawnSync } from 'node:child_process';
import { accessSync, constants, mkdirSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { FAILED_FILES } from './test-reporter.mjs';

/** The full output of all tests, for more detail than the report shows. */
const LOG = '.cache/tests.log';
/** A test process that hangs fails instead of blocking everything. */
const TEST_TIMEOUT_MS = 900_000;
/**
 * Tests are short: garbage collection on more threads and thorough optimization would cost more than they save. So would collecting all of a
 * small heap again and again: with the usual limit it took a quarter of the time of some areas, and their memory peaked as high.
 */
const SHORT_LIVED = [
  '--single-threaded-gc',
  '--initial-old-space-size=512',
  '--sparkplug',
  '--min-semi-space-size=16',
  '--max-semi-space-size=32',
  '--wasm-tiering-budget=1000000000',
];
/**
 * Areas that run in one process each, started in this order: the longest first. `redis` waits beside them, and has all that starts a server: its
 * first file finds or unpacks one for the others. Each slow file has its own process: they share little, and mostly wait.
 */
const AREAS = [
  ['parts', /^(?!(slow|run|batch|cli|api|host|quality|output|live|proof)\.)/],
  ['redis', /^live\.(redis|conformance|shared-pace|worker-ceilings)/],
  ['run', /^(run|batch|proof)\./],
  ['commands', /^(cli|api|host|quality|output)\./],
  ['live', /^live\./],
];
/** Where tests create their thousands of small files, if it exists and has room: memory, so that they do not wait for a disk. */
const MEMORY_FOLDER = '/dev/shm';
const MEMORY_BYTES = 2 ** 31;

/** Names of the compiled test files, without folder; the browser test of the report has its own command. */
export function listTestFiles() {
  return readdirSync('dist/test').filter((name) => name.endsWith('.test.js'));
}

/**
 * Runs compiled test files; with a pattern, only tests whose title matches; with `triesAll` every case of each table, otherwise some; one file
 * after the other if `alone`. @returns the exit code
 */
export function runTests(files, { titlePattern = null, triesAll = true, alone = false } = {}) {
  const args = [
    ...SHORT_LIVED,
    '--test',
    `--test-concurrency=${alone ? 1 : Math.max(3, availableParallelism() - 1)}`,
    `--test-timeout=${TEST_TIMEOUT_MS}`,
    '--test-reporter=./scripts/test-reporter.mjs',
    '--test-reporter-destination=stdout',
    '--test-reporter=spec',
    `--test-reporter-destination=${LOG}`,
    ...(titlePattern === null ? [] : [`--test-name-pattern=${titlePattern}`]),
    ...writeAreas(files),
  ];
  return (
    spawnSync(process.execPath, args, {
      stdio: 'inherit',
      env: { ...process.env, TMPDIR: chooseTemporaryFolder(), ROWMILL_TEST_WIDE: triesAll ? '1' : '0' },
    }).status ?? 1
  );
}

/**
 * Tests that wait for clocks, processes and Redis can be starved by others, so every failed file is run once more on its own. If it passes then,
 * it is still named: its test, or the race it found, has to be fixed.
 */
export function runTestsTwice(files) {
  const status = runTests(files);
  if (status !== 1) return status;
  const failed = JSON.parse(readFileSync(FAILED_FILES, 'utf8'));
  // A process that failed as a whole is told by itself, and is no file of tests.
  if (failed.length === 0 || !failed.every((name) => files.includes(name))) return status;
  console.log(`FAILED BESIDE OTHERS, once more, each by itself: ${failed.join(', ')}`);
  return runTests(failed, { alone: true });
}

/**
 * Writes one file per area that imports its test files: loading the same modules for each file again took as long as the tests.
 * @returns paths, in the order in which they are started
 */
function writeAreas(files) {
  const folder = '.cache/areas';
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const areaOf = (name) => AREAS.find(([, pattern]) => pattern.test(name))?.[0] ?? name.replace('.test.js', '');
  const rank = (area) => (AREAS.findIndex(([known]) => known === area) + AREAS.length) % AREAS.length;
  return [...new Set(files.map(areaOf))]
    .sort((a, b) => rank(a) - rank(b))
    .map((area, index) => {
      const path = `${folder}/${String(index).padStart(2, '0')}-${area}.test.mjs`;
      const members = files.filter((name) => areaOf(name) === area);
      writeFileSync(path, members.map((name) => `import '../../dist/test/${name}';\n`).join(''));
      return path;
    });
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
