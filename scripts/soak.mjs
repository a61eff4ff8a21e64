// The slow proofs: hundreds of kills, a thousand lost responses, every public table, a job far larger than its account's queue.
// Prints what was covered; ends with 1 where a promise was broken. `--share 0.1` does a tenth of it, `--seed N` begins elsewhere.
import { parseArgs } from 'node:util';
import { renderKillReport, runKillLoop } from '../dist/test/helpers/kill-loop.js';
import { createThroughLosses } from '../dist/test/helpers/lost-creates.js';
import { listRealTables, runRealTable } from '../dist/test/helpers/real-tables.js';
import { runOnSmallAccount } from '../dist/test/helpers/small-account.js';

const { values } = parseArgs({ options: { share: { type: 'string', default: '1' }, seed: { type: 'string', default: '1000' } } });
const share = Number(values.share);
const seed = Number(values.seed);
const KILLS_PER_LOOP = 25;
const SHARDS_PER_TRIAL = 50;
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

async function killLoops() {
  const totals = { kills: 0, hits: 0 };
  for (let loop = 0; loop * 2 * KILLS_PER_LOOP < 500 * share; loop += 1) {
    // One of each at a time: they fit two cores.
    await Promise.all(
      ['inside', 'outside'].map((mode) =>
        prove(`kills, simulator ${mode}, seed ${seed + loop}`, async () => {
          const report = await runKillLoop({ mode, kills: KILLS_PER_LOOP, seed: seed + loop });
          totals.kills += report.kills;
          totals.hits += report.hits;
          return renderKillReport(`seed ${seed + loop}, simulator ${mode}`, report);
        }),
      ),
    );
  }
  if (totals.hits < totals.kills * 0.8) broken += 1;
  console.log(`kills: ${totals.kills}, ${((100 * totals.hits) / totals.kills).toFixed(1)} % hit work`);
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

console.log(`soak: seed ${seed}, share ${share}, Node ${process.version}`);
await prove('lost creates', lostCreates);
await prove('small account', async () => `small account: ${JSON.stringify(await runOnSmallAccount(Math.ceil(20_000 * share), 90_000))}`);
const tables = listRealTables();
if (tables.length === 0) console.log('public tables: skipped, they are not beside this checkout');
for (const table of tables) await prove(table.file, () => realTable(table));
await killLoops();
console.log(broken === 0 ? 'every promise held' : `${broken} proofs failed`);
process.exitCode = broken === 0 ? 0 : 1;
