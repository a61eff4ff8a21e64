// `npm run proof:mutants`: breaks one promise of the protocol at a time, in a copy of the compiled program, and asks the test that guards it.
// A mutant that its test does not notice is a test that proves nothing; a place that is not found any more fails too.
import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const COPY = '.cache/mutants';

/** What is broken, where, how, and the tests that must fail: a file and a pattern of titles. */
const MUTANTS = [
  {
    name: 'events are not synced before they count',
    edits: [['src/ledger/events/event-log.js', 'await syncData(descriptor);', '']],
    guard: ['ledger.event-log', 'share syncs|a sync that failed'],
  },
  {
    name: 'the intent of a create is written after the call',
    edits: [
      [
        'src/batch/create.js',
        "await ledger.append({ type: 'create-intent', shard: shard.id, attempt, fileId, keyFingerprint: provider.keyFingerprint });",
        '',
      ],
      [
        'src/batch/create.js',
        "await ledger.append({ type: 'create-done', shard: shard.id, attempt, batchId: batch.id, how: 'response' });",
        "await ledger.append({ type: 'create-intent', shard: shard.id, attempt, fileId, keyFingerprint: provider.keyFingerprint });" +
          "await ledger.append({ type: 'create-done', shard: shard.id, attempt, batchId: batch.id, how: 'response' });",
      ],
    ],
    guard: ['run.lost-responses', 'a lost create response leaves one batch'],
  },
  {
    name: 'the client repeats calls by itself',
    edits: [['src/openai/open-client.js', 'maxRetries: 0', 'maxRetries: 2']],
    guard: ['openai.failures', 'after one request'],
  },
  {
    name: 'a lost create is repeated without looking',
    edits: [
      [
        'src/batch/create.js',
        'const found = await resolveCreate(context, shard, shardNow(context, shard).createAttempt);',
        'const found = null;',
      ],
    ],
    guard: ['run.lost-responses', 'a lost create response leaves one batch'],
  },
  {
    name: 'there is one look, at once',
    edits: [['src/batch/create.js', 'const schedule = context.settings.looksMs;', 'const schedule = [0];']],
    guard: ['batch.lost-creates', 'listing lag leave exactly one batch'],
  },
  {
    name: 'only the first page of the list is read',
    edits: [['src/batch/list-batches.js', 'if (fresh.length === 0)', 'if (fresh.length === 0 || seen.size > 0)']],
    guard: ['run.lost-responses', 'more batches than a page'],
  },
  {
    name: 'a batch without our metadata is not found by its input file',
    edits: [['src/batch/find-lost-batch.js', 'batch.inputFileId === shard.fileId', 'batch.inputFileId === null']],
    guard: ['run.lost-responses', 'found by its input file'],
  },
  {
    name: 'error files are not read',
    edits: [['src/batch/collect.js', "of ['output', 'error']", "of ['output']"]],
    guard: ['slow.results', 'error file only'],
  },
  {
    name: 'an expired row has failed',
    edits: [['src/core/outcome.js', "return outcome === 'expired' || outcome === 'cancelled'", "return outcome === 'cancelled'"]],
    guard: ['slow.results', 'ends by expir|expire three times'],
  },
  {
    name: 'the last line of a request wins',
    edits: [['src/ledger/responses/repeats.js', 'compareText(a.lineId, b.lineId)', 'compareText(b.lineId, a.lineId)']],
    guard: ['ledger.settling', 'smallest line id'],
  },
  {
    name: 'the cost of a shared request stands on no row',
    edits: [['src/run/finish/finish-rows.js', 'keyed.isDuplicate ? NOTHING_SPENT : readCosts', 'true ? NOTHING_SPENT : readCosts']],
    guard: ['run.happy-path', '.'],
  },
  {
    name: 'a worker calls what is done already',
    edits: [
      ['src/live/redis/limiter-scripts.js', "if redis.call('SISMEMBER', KEYS[5], ARGV[1]) == 1 then return say('done', 0, '') end", ''],
    ],
    guard: ['slow.redis-faults|live.redis-limiter', 'done|frozen'],
  },
  {
    name: 'an end leaves Redis before it is in the ledger',
    edits: [
      [
        'src/live/runner/collect-ends.js',
        'const ended = await this.#record(fresh);',
        'await this.#forget(entries.map(({ entryId }) => entryId)); const ended = await this.#record(fresh);',
      ],
    ],
    guard: ['slow.redis-faults', 'in the ledger before'],
  },
  {
    name: 'an account without money counts as too fast',
    edits: [['src/openai/classify.js', 'QUOTA_CODES.has(word)', 'false']],
    guard: ['slow.stops|live.outcomes', 'quota|stops the run with exit 5'],
  },
  {
    name: 'a table is written in place',
    edits: [
      ['src/output/atomic-file.js', 'const temporaryPath = makeTemporaryPath(finalPath, process.pid);', 'const temporaryPath = finalPath;'],
      ['src/output/atomic-file.js', "await open(temporaryPath, 'wx', 0o666)", "await open(temporaryPath, 'w', 0o666)"],
    ],
    guard: ['output.files', 'the old file stands'],
  },
];

function mutate(edits) {
  const originals = new Map();
  for (const [name, search, replacement] of edits) {
    const path = join(COPY, name);
    const text = readFileSync(path, 'utf8');
    if (!originals.has(path)) originals.set(path, text);
    if (text.split(search).length !== 2) throw new Error(`${name} does not hold once: ${search}`);
    writeFileSync(
      path,
      text.replace(search, () => replacement),
    );
  }
  return () => {
    for (const [path, text] of originals) writeFileSync(path, text);
  };
}

/** @returns how many tests ran and how many of them failed */
function runGuard([files, pattern]) {
  const paths = files.split('|').map((name) => join(COPY, 'test', `${name}.test.js`));
  const args = ['--test', '--test-reporter=tap', '--test-timeout=120000', `--test-name-pattern=${pattern}`, ...paths];
  const { stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  const count = (word) => Number(new RegExp(`^# ${word} (\\d+)$`, 'm').exec(stdout)?.[1] ?? 0);
  return { passed: count('pass'), failed: count('fail') + count('cancelled') };
}

rmSync(COPY, { recursive: true, force: true });
// Without the bundle, tests start the command of the tree.
cpSync('dist', COPY, { recursive: true, filter: (path) => basename(path) !== 'bundle' });
const wanted = process.argv[2];
let survived = 0;
const chosen = MUTANTS.filter(({ name }) => wanted === undefined || name.includes(wanted));
for (const { name, edits, guard } of chosen) {
  const before = runGuard(guard);
  const restore = mutate(edits);
  const after = runGuard(guard);
  restore();
  const isKilled = before.failed === 0 && before.passed > 0 && after.failed > 0;
  if (!isKilled) survived += 1;
  const why =
    before.failed > 0 || before.passed === 0
      ? `its guard does not pass untouched (${before.passed} passed, ${before.failed} failed)`
      : 'nobody noticed';
  console.log(`${isKilled ? 'killed  ' : 'SURVIVED'}  ${name}: ${isKilled ? `${after.failed} tests of ${guard[0]} fail` : why}`);
}
console.log(`${chosen.length - survived} of ${chosen.length} mutants killed`);
process.exit(survived === 0 ? 0 : 1);
