import { parseArgs } from 'node:util';
import { whyNoRedisServer } from '../test/helpers/redis-server.ts';
import { renderTable, writeSection } from './benchmarks-page.ts';
import { BURST_SECONDS, LIMITS, type Passage, passJob, passLane, passScript, RESERVING } from './proof-scenarios.ts';

/**
 * The proof that the live lane uses the limits of an account and keeps them, in real time, against providers in other processes. Beside it the
 * script most people write. Ends with 1 where a promise is broken. `--rows 600` makes it short; a short one only prints.
 */

const FULL_ROWS = 4_000;
const LEAST_USED = 0.9;
const LEAST_USED_IN_ALL = 0.95;
const MOST_REFUSED = 0.005;
/** A provider that charges reservations is found out by its headers, or by a few refusals. */
const MOST_REFUSED_RESERVING = 0.02;
const FULLEST_MINUTE = 1.05;
const LATEST_FIRST_CALL_MS = 1_000;

const { values } = parseArgs({ options: { rows: { type: 'string', default: String(FULL_ROWS) } } });
const rows = Number(values.rows);
/** Reservations charge three times as much: a third of the rows takes as long. */
const reservedRows = Math.ceil(rows * 0.45);

const missing = whyNoRedisServer();
if (missing !== false) throw new Error(missing);

/** What is wrong with a passage of ours; empty where nothing is. */
function judge({ ok, rows: all, evidence, firstCallMs, tokenCharging }: Passage, isReserving: boolean): readonly string[] {
  const { used, usedInAll, refused, fullestMinute } = evidence;
  const isTooRefused = refused > (isReserving ? MOST_REFUSED_RESERVING : MOST_REFUSED);
  return [
    ...(ok < all ? [`${all - ok} rows without an answer`] : []),
    ...(isTooRefused ? ['too many calls answered 429'] : []),
    ...(fullestMinute > FULLEST_MINUTE ? ['a minute over the limit'] : []),
    ...(!isReserving && used < LEAST_USED ? ['too little of the limit used'] : []),
    ...(!isReserving && usedInAll < LEAST_USED_IN_ALL ? ['too little of the limit used from the first call to the last'] : []),
    ...(!isReserving && firstCallMs !== null && firstCallMs > LATEST_FIRST_CALL_MS ? ['the first call came late'] : []),
    ...(isReserving && tokenCharging !== 'reserved' ? ['not found out that reservations are charged'] : []),
  ];
}

const percent = (share: number, digits = 1) => `${(share * 100).toFixed(digits)} %`;

function renderPassage(passage: Passage): readonly string[] {
  const { what, ok, evidence, firstCallMs, tokenCharging } = passage;
  return [
    what,
    `${ok} of ${passage.rows}`,
    percent(evidence.used),
    percent(evidence.usedInAll),
    percent(evidence.refused, 2),
    percent(evidence.fullestMinute),
    firstCallMs === null ? '' : `${firstCallMs} ms`,
    `${evidence.seconds.toFixed(0)} s`,
    tokenCharging ?? '',
  ];
}

/** Waits for all, so that a failure leaves no process behind. */
async function together(passages: readonly Promise<Passage>[]): Promise<readonly Passage[]> {
  await Promise.allSettled(passages);
  return Promise.all(passages);
}

const startedMs = performance.now();
// Two at a time: they wait more than they work.
const ours = [
  ...(await together([
    passJob('rowmill run, one process', { rows, workers: 0 }),
    passJob('rowmill run and 1 worker', { rows, workers: 1 }),
  ])),
  ...(await together([
    passJob('rowmill run and 2 workers', { rows, workers: 2 }),
    passJob('rowmill run and 4 workers', { rows, workers: 4 }),
  ])),
];
const others = await together([
  passLane('reservations charged: one process', reservedRows),
  passJob('reservations charged: run and 2 workers', { rows: reservedRows, workers: 2, provider: RESERVING }),
  passScript('the client and p-limit(10)', rows, 10),
  passScript('the client and p-limit(50)', rows, 50),
]);
const [reserving, scripts] = [others.slice(0, 2), others.slice(2)];

const header = [
  'what',
  'rows answered',
  'of the limit used',
  'first call to last',
  'answered 429',
  'fullest minute',
  'first call',
  'took',
  'charges found',
];
const text = `Written by \`npm run proof:live\`, in real time; simulator, Redis, run and workers are separate processes. Node ${process.version}.
The provider allows ${LIMITS.requestsPerMinute} requests and ${LIMITS.tokensPerMinute} tokens a minute, charged by actual usage, with bursts of ${BURST_SECONDS} s; its median latency is 400 ms (log-normal), and 1 % of the calls get a 500. A call reserves three times the tokens it uses.
Everything but the time of a run's first call is read from the provider's books. Use is measured over the steady part: from 20 s after the first call to 5 s before the last one. The fullest minute is the fullest of all windows of 60 s.
Limits to be met: every row answered, at least ${percent(LEAST_USED, 0)} used, and ${percent(LEAST_USED_IN_ALL, 0)} from the first call to the last, at most ${percent(MOST_REFUSED)} of the calls answered 429 (${percent(MOST_REFUSED_RESERVING, 0)} where reservations are charged, until that is detected), no minute above ${percent(FULLEST_MINUTE, 0)}, the first call within ${LATEST_FIRST_CALL_MS} ms.
Where reservations are charged, a third of the limit is the most that can be used, so those two lines are not held to that.
The last two lines are the script most people write: the openai client with its own retries, and p-limit. With 50 calls at once its retries give up within half a minute, so its "steady part" is only a few seconds, and its shares mean little.

${renderTable(header, [...ours, ...reserving, ...scripts].map(renderPassage))}`;
process.stdout.write(`${text}\n`);
if (rows === FULL_ROWS) writeSection('Limits of the live lane', text);

const faults = [
  ...ours.flatMap((passage) => judge(passage, false).map((fault) => `${passage.what}: ${fault}`)),
  ...reserving.flatMap((passage) => judge(passage, true).map((fault) => `${passage.what}: ${fault}`)),
];
for (const fault of faults) console.error(fault);
console.error(
  `${faults.length === 0 ? 'every promise held' : `${faults.length} broken`}, ${((performance.now() - startedMs) / 1000).toFixed(0)} s`,
);
if (faults.length > 0) process.exitCode = 1;
