// `npm run proof:mutants`: breaks one promise of the protocol at a time, in a copy of the compiled program, and lets `rowmill prove` attack it as often
// as in its minute. A mutant that it does not notice is an attack that proves nothing; a place that is not found any more fails too.
// `-- WORD` tries those whose name holds the word.
import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const COPY = '.cache/mutants';
const LONGEST_MS = 600_000;
const REDIS = process.env.REDIS_URL === undefined ? [] : ['--redis', process.env.REDIS_URL];

/** What is broken, where, how, and the attack that must find it. */
const MUTANTS = [
  {
    name: 'events are not synced before they count',
    edits: [['src/ledger/events/event-log.js', 'await syncData(descriptor);', '']],
    foundBy: 'power',
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
    foundBy: 'lists',
  },
  {
    name: 'the client repeats calls by itself',
    edits: [['src/openai/open-client.js', 'maxRetries: 0', 'maxRetries: 2']],
    foundBy: 'lost',
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
    foundBy: 'lost',
  },
  {
    name: 'there is one look, at once',
    edits: [['src/batch/create.js', 'const schedule = context.settings.looksMs;', 'const schedule = [0];']],
    foundBy: 'lost',
  },
  {
    name: 'only the first page of the list is read',
    edits: [['src/batch/list-batches.js', 'if (fresh.length === 0)', 'if (fresh.length === 0 || seen.size > 0)']],
    foundBy: 'lists',
  },
  {
    name: 'a batch without our metadata is not found by its input file',
    edits: [['src/batch/find-lost-batch.js', 'batch.inputFileId === shard.fileId', 'batch.inputFileId === null']],
    foundBy: 'lost',
  },
  {
    name: 'error files are not read',
    edits: [['src/batch/collect.js', "of ['output', 'error']", "of ['output']"]],
    foundBy: 'lost',
  },
  {
    name: 'an expired row has failed',
    edits: [['src/core/outcome.js', "return outcome === 'expired' || outcome === 'cancelled'", "return outcome === 'cancelled'"]],
    foundBy: 'garbled',
  },
  {
    name: 'the last line of a request wins',
    edits: [['src/ledger/responses/repeats.js', 'compareText(a.lineId, b.lineId)', 'compareText(b.lineId, a.lineId)']],
    foundBy: 'doubled',
  },
  {
    name: 'the cost of a shared request stands on no row',
    edits: [['src/run/finish/finish-rows.js', 'keyed.isDuplicate ? NOTHING_SPENT : readCosts', 'true ? NOTHING_SPENT : readCosts']],
    foundBy: 'lost',
  },
  {
    name: 'a worker calls what is done already',
    edits: [
      ['src/live/redis/limiter-scripts.js', "if redis.call('SISMEMBER', KEYS[5], ARGV[1]) == 1 then return say('done', 0, '') end", ''],
    ],
    foundBy: 'redis',
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
    foundBy: 'redis',
  },
  {
    name: 'an account without money counts as too fast',
    edits: [['src/openai/classify.js', 'QUOTA_CODES.has(word)', 'false']],
    foundBy: 'account',
  },
  {
    name: 'a table is written in place',
    edits: [
      ['src/output/atomic-file.js', 'const temporaryPath = makeTemporaryPath(finalPath, process.pid);', 'const temporaryPath = finalPath;'],
      ['src/output/atomic-file.js', "await open(temporaryPath, 'wx', 0o666)", "await open(temporaryPath, 'w', 0o666)"],
    ],
    foundBy: 'crash',
  },
  {
    name: 'a run that lost its place goes on',
    edits: [
      ['src/ledger/disk/lock.js', 'throw makeDisplacedError(readHolder(file), options.job);', ';'],
      ['src/ledger/events/event-log.js', 'if (hasStableInode && !isFileAt(options.file, descriptor))', 'if (false)'],
    ],
    foundBy: 'woken',
  },
  {
    name: 'a holder that lives is succeeded',
    edits: [
      ['src/ledger/disk/holder-watch.js', "if (seen.isAlive && waiting.ifRunning === 'fail')", 'if (false)'],
      ['src/ledger/disk/holder-watch.js', "silentMs: sight === 'dead' ? heartbeat.lostMs : 0", 'silentMs: heartbeat.lostMs'],
    ],
    foundBy: 'two',
  },
  {
    name: 'interruptions of ours use up attempts',
    edits: [
      [
        'src/ledger/writing.js',
        "why: 'the process ended before the answer was kept', isInterruption: true",
        "why: 'the process ended before the answer was kept', isInterruption: false",
      ],
    ],
    foundBy: 'again',
  },
  {
    name: 'live calls without an end are forgotten',
    edits: [['src/ledger/writing.js', 'if (openCalls.length > 0)', 'if (false)']],
    foundBy: 'again',
  },
  {
    name: 'billed lines that are missing are told nowhere',
    edits: [
      ['src/run/send/possibly-billed.js', "found.push({ ...about, ...missing, why: 'missing_lines' });", ';'],
      [
        'src/run/send/possibly-billed.js',
        "found.push({ ...about, ...missing, why: 'usage_beyond_lines', calls: Math.max(1, batch.missing), exactNanoUsd });",
        ';',
      ],
    ],
    foundBy: 'garbled',
  },
  {
    name: 'a batch that is not found is given up at once',
    edits: [['src/batch/poll.js', 'const MAX_NOT_FOUND = 6;', 'const MAX_NOT_FOUND = 0;']],
    foundBy: 'vanished',
  },
  {
    name: 'a completed batch is taken as it is, whatever file is not named yet',
    edits: [['src/batch/poll.js', 'if (!isAwaitingFiles(batch) ||', 'if (true ||']],
    foundBy: 'late',
  },
  {
    name: 'a table may be written over what is read',
    edits: [
      [
        'src/run/open/destinations.js',
        'const problem = await findDestinationProblem(',
        'const problem = null && await findDestinationProblem(',
      ],
    ],
    foundBy: 'destination',
  },
  {
    name: 'answers are served whatever became of their bytes',
    edits: [
      ['src/ledger/ledger-state.js', 'markAltered: (file) => void altered.set(file.number, file.name)', 'markAltered: () => undefined'],
    ],
    foundBy: 'altered',
  },
  {
    name: 'what spends again is not asked about',
    edits: [['src/cli/confirm.js', 'const why = options.isAgreed || options.isSimulated ? null :', 'const why = true ? null :']],
    foundBy: 'asked',
  },
  {
    name: 'a budget does not count what is on its way',
    edits: [['src/run/send/budget.js', 'if (limits.run !== null && committed.all + own > limits.run)', 'if (false)']],
    foundBy: 'budget',
  },
  {
    name: 'a hole that a power cut leaves is damage',
    edits: [['src/ledger/events/unsynced-hole.js', 'isHole = line.includes(0);', 'isHole = false;']],
    foundBy: 'power',
  },
  {
    name: 'a simulator is forgotten when nothing is left to ask',
    edits: [['src/run/open/follow-address.js', '?? isKnownSimulator(provider, ledger)', '?? false']],
    foundBy: 'kill',
  },
  {
    name: 'a new state is not durable in the folder of its job',
    edits: [
      [
        'src/ledger/writing.js',
        'for (const directory of [options.directory, root, path.dirname(root)])',
        'for (const directory of [options.directory, root])',
      ],
    ],
    foundBy: 'power',
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

/** Attacks one promise as often as a whole proof does in its minute. @returns what was found; null where every promise held */
function prove(name) {
  const args = [join(COPY, 'src/cli/main.js'), 'prove', '--only', name, '--seconds', '1', '--json', ...REDIS];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: LONGEST_MS });
  if (status === 0) return null;
  if (status === 2) throw new Error(stderr);
  const found = stdout.startsWith('{') ? JSON.parse(stdout) : {};
  if (found.broken === 0) throw new Error(`${name}: an attack did not happen\n${stderr}`);
  return found.message ?? found.promises?.[0]?.repeat ?? `it did not end\n${stderr}`;
}

rmSync(COPY, { recursive: true, force: true });
// Without the bundle: a place is found in the compiled tree alone.
cpSync('dist', COPY, { recursive: true, filter: (path) => basename(path) !== 'bundle' });
const wanted = process.argv[2];
let survived = 0;
const chosen = MUTANTS.filter(({ name }) => wanted === undefined || name.includes(wanted));
for (const { name, edits, foundBy } of chosen) {
  const restore = mutate(edits);
  const startedAt = performance.now();
  const found = prove(foundBy);
  restore();
  if (found === null) survived += 1;
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
  console.log(found === null ? `SURVIVED  ${name}: ${foundBy} did not notice` : `found     ${name}: by ${foundBy}, ${seconds} s`);
}
console.log(`${chosen.length - survived} of ${chosen.length} mutants found`);
process.exit(survived === 0 ? 0 : 1);
