// The promises that `npm run proof:mutants` breaks. Their places are looked up by `npm test` too, so that code does not move away from them unnoticed.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What is broken, where, how, the attack that must find it, and whether that takes a Redis. */
export const MUTANTS = [
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
      ['src/live/redis/limiter-scripts.js', "if redis.call('SISMEMBER', KEYS[5], callId) == 1 then return say('done', 0, '') end", ''],
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
        'src/ledger/lost-calls.js',
        "why: 'the process ended before the answer was kept', isInterruption: true",
        "why: 'the process ended before the answer was kept', isInterruption: false",
      ],
    ],
    foundBy: 'again',
  },
  {
    name: 'live calls without an end are forgotten',
    edits: [['src/ledger/writing.js', 'if (lost !== null)', 'if (false)']],
    foundBy: 'again',
  },
  {
    name: 'billed lines that are missing are told nowhere',
    edits: [
      ['src/run/send/possibly-billed.js', "found.push({ ...about, ...silent, why: 'missing_lines' });", ';'],
      [
        'src/run/send/possibly-billed.js',
        "found.push({ ...about, ...missing, why: 'usage_beyond_lines', calls, counted, failed: lines.failed, exactNanoUsd });",
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
    edits: [['src/run/open/destinations.js', 'const problem = findDestinationProblem(', 'const problem = null && findDestinationProblem(']],
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
    edits: [['src/run/budget/budget.js', 'readUnanswered(span) + underWay', 'readUnanswered(span)']],
    foundBy: 'budget',
  },
  {
    name: 'a hole that a power cut leaves is damage',
    edits: [['src/ledger/events/unsynced-hole.js', 'isHole = line.includes(0);', 'isHole = false;']],
    foundBy: 'power',
  },
  {
    name: 'a simulator is forgotten when nothing is left to ask',
    edits: [['src/run/open/follow-address.js', 'isAskedFor || isKnownSimulator(provider, ledger)', 'isAskedFor']],
    foundBy: 'redis',
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
  {
    name: 'the limits of an account hold nobody back',
    edits: [
      [
        'src/live/limits/gcra.js',
        'Math.max(nowMs, state.blockedUntilMs, requestsAtMs, tokensAtMs)',
        'Math.max(nowMs, state.blockedUntilMs)',
      ],
    ],
    foundBy: 'limits',
  },
  {
    name: 'each worker has the limits for itself',
    edits: [['src/live/redis/keys.js', "requests: of('requests')", "requests: of('requests' + process.pid)"]],
    foundBy: 'limits',
    isOverRedis: true,
  },
  {
    name: 'half of what an account allows is not used',
    edits: [['src/live/limits/throttle-rules.js', 'FULL_SHARE = 0.98', 'FULL_SHARE = 0.49']],
    foundBy: 'limits',
  },
  {
    // The look before a group of lines is covered as well: no line is written without an intent, and a file that was open before is a successor's no more.
    name: 'a displaced run opens, and then removes, the file for answers of its successor',
    edits: [
      [
        'src/ledger/responses/live-file.js',
        'try {\n            options.assertWritable();\n            syncDirectory',
        'try {\n            syncDirectory',
      ],
      [
        'src/ledger/responses/live-file.js',
        'async function writeGroup(lines) {\n        options.assertWritable();',
        'async function writeGroup(lines) {',
      ],
    ],
    foundBy: 'woken',
  },
  {
    // Either alone is enough: what is in a batch is in flight, and by then no batch is left.
    name: 'calls are made before the batches they replace have ended, for rows that are in them',
    edits: [
      ['src/run/send/deadline-lane.js', 'await batch.drain();\n        await batch.nextEnd();', ''],
      ['src/run/open/next-step.js', 'if (shard !== 0 && (seesQueue || shard !== LIVE_QUEUE))', 'if (shard === LIVE_QUEUE && seesQueue)'],
    ],
    foundBy: 'deadline',
  },
  {
    name: 'what a cancelled batch has answered is not collected',
    edits: [['src/batch/collect.js', 'if (fileId === null)', "if (fileId === null || batch.status === 'cancelled')"]],
    foundBy: 'deadline',
  },
];

/** @param tree where the compiled program is @returns the files as they were, and as they are with the edits @throws where a place is not found once */
export function plan({ name, edits }, tree) {
  const files = new Map();
  for (const [file, search, replacement] of edits) {
    const whole = readFileSync(join(tree, file), 'utf8');
    const { changed } = files.get(file) ?? { changed: whole };
    if (changed.split(search).length !== 2) throw new Error(`${name}: ${file} does not hold once: ${search}`);
    files.set(file, { whole, changed: changed.replace(search, () => replacement) });
  }
  return files;
}
