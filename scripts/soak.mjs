// The slow proofs: `rowmill prove` for twenty minutes; a thousand lost responses, every public table, a job far larger than its account's queue; workers
// and Redis killed under live runs; a million random tables read like csv-parse reads them. Prints what was covered; exits with 1 if a promise was
// broken. `--share 0.1` runs a tenth of it, `--seed N` starts elsewhere, `--only batch`, `prove`, `redis` or `csv` runs only that part.
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { checkRandomTexts } from '../dist/test/helpers/csv-oracle.js';
import { createThroughLosses } from '../dist/test/helpers/lost-creates.js';
import { listRealTables, runRealTable } from '../dist/test/helpers/real-tables.js';
import { borrowRedis, whyNoRedis, whyNoRedisServer } from '../dist/test/helpers/redis-server.js';
import { soakRedis } from '../dist/test/helpers/redis-soak.js';
import { runOnSmallAccount } from '../dist/test/helpers/small-account.js';

const { values } = parseArgs({
  options: { share: { type: 'string', default: '1' }, seed: { type: 'string', default: '1000' }, only: { type: 'string' } },
});
const share = Number(values.share);
const seed = Number(values.seed);
const wants = (part) => values.only === undefined || values.only === part;
/** Of `rowmill prove`. */
const PROVE_SECONDS = 1_200;
const SHARDS_PER_TRIAL = 50;
const RANDOM_TEXTS = 1_000_000;
/** From the kill of a worker until all its calls are known to be lost. */
const MOST_RECOVERY_MS = 15_000;
let broken = 0;

async function prove(title, work) {
  const startedAt = Date.now();
  try {
    console.log(`${await work()}  (${((Date.now() - startedAt) / 1000).toFixed(1)} s)`);
  } catch (error) {
    broken += 1;
    console.log(`BROKEN  ${title}: ${error.message}`);
  }
}

/** Every promise, by `rowmill prove`, which tells what broke and how to repeat it. */
async function attackAll() {
  const redis = whyNoRedis() === false ? await borrowRedis() : null;
  try {
    const over = redis === null ? [] : ['--redis', redis.url];
    const args = ['dist/bundle/main.cjs', 'prove', '--seconds', String(Math.ceil(PROVE_SECONDS * share)), '--seed', String(seed), ...over];
    const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
    if (status !== 0) throw new Error(`rowmill prove ended with ${status}`);
    return 'rowmill prove';
  } finally {
    await redis?.stop();
  }
}

async function lostCreates() {
  const totals = { shards: 0, lost: 0, createdTwice: 0, unreported: 0, without: 0 };
  for (let trial = 0; trial * SHARDS_PER_TRIAL < 1000 * share; trial += 1) {
    const result = await createThroughLosses({ seed: seed + trial, shards: SHARDS_PER_TRIAL, abreast: 12, maxLagMs: 30_000 });
    for (const name of Object.keys(totals)) totals[name] += result[name];
    if (!result.extrasCollected) broken += 1;
  }
  if (totals.unreported > 0 || totals.without > 0 || totals.createdTwice > totals.shards / 1000) broken += 1;
  return `lost creates: ${JSON.stringify(totals)}`;
}

async function realTable(table) {
  const ends = [];
  try {
    const { rows } = await runRealTable({ after: (end) => ends.push(end) }, table);
    return `${table.file}: ${rows.in} rows = ${rows.ok} ok + ${rows.skipped} skipped, ${rows.duplicate} of them duplicate`;
  } finally {
    for (const end of ends) await end();
  }
}

/** A whole run over Redis, by the programs people use, through kills of workers and of Redis itself. */
async function throughRedis(title, wanted) {
  const scale = (count) => (count === 0 ? 0 : Math.max(1, Math.round(count * share)));
  const none = { workers: 2, concurrency: 8, onUnknown: 'retry', workerKills: 0, redisKills: 0, flushes: 0, hasLongPause: false };
  const options = { ...none, ...wanted };
  for (const name of ['rows', 'workerKills', 'redisKills', 'flushes']) options[name] = scale(options[name]);
  // So few rows still outlast their faults.
  options.rows = Math.max(options.rows, 100 * (options.workerKills + options.redisKills + options.flushes));
  const { seconds, ...report } = await soakRedis(options);
  if (report.recoveryMs > MOST_RECOVERY_MS) throw new Error(`recovery took ${report.recoveryMs} ms`);
  if (report.hits < report.workerKills * 0.8) throw new Error(`only ${report.hits} of ${report.workerKills} kills hit work`);
  return `${title}: ${JSON.stringify(report)}`;
}

async function redisProofs() {
  const missing = whyNoRedisServer();
  if (missing !== false) return console.log(`runs over Redis: skipped, ${missing}`);
  const cases = [
    ['workers killed', { rows: 1_500, workerKills: 15 }],
    ['workers killed, on_unknown: hold', { rows: 1_500, workerKills: 15, onUnknown: 'hold' }],
    [
      'Redis killed without persistence, away for 30 s, emptied',
      { rows: 5_000, workers: 3, redisKills: 20, flushes: 2, hasLongPause: true },
    ],
    ['workers and Redis killed', { rows: 2_000, workers: 3, workerKills: 6, redisKills: 6, flushes: 1 }],
  ];
  for (const [title, options] of cases) await prove(title, () => throughRedis(title, options));
}

async function randomTexts() {
  const texts = Math.ceil(RANDOM_TEXTS * share);
  // Half of them end in an error, whose stack nobody looks at.
  Error.stackTraceLimit = 0;
  const refused = await checkRandomTexts(texts, seed);
  return `random CSV texts: ${texts} read as csv-parse reads them, ${refused} of them refused at the same place`;
}

console.log(`soak: seed ${seed}, share ${share}, Node ${process.version}`);
if (wants('batch')) {
  await prove('lost creates', lostCreates);
  await prove('small account', async () => `small account: ${JSON.stringify(await runOnSmallAccount(Math.ceil(20_000 * share), 90_000))}`);
  const tables = listRealTables();
  if (tables.length === 0) console.log('public tables: skipped, they are not beside this checkout');
  for (const table of tables) await prove(table.file, () => realTable(table));
}
if (wants('prove')) await prove('rowmill prove', attackAll);
if (wants('redis')) await redisProofs();
if (wants('csv')) await prove('random CSV texts', randomTexts);
console.log(broken === 0 ? 'every promise held' : `${broken} proofs failed`);
process.exitCode = broken === 0 ? 0 : 1;
