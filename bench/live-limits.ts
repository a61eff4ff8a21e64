import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { Summary } from '../src/core/summary.ts';
import { type AccountUse, readAccountUse } from '../src/prove/check/account-use.ts';
import { readJsonLines } from '../src/prove/check/calls.ts';
import type { SimulatorOptions } from '../src/simulator/options.ts';
import { writeLiveJob } from '../test/helpers/live-rows.ts';
import { type LiveStage, makeLiveStage } from '../test/helpers/live-stage.ts';
import type { BenchLine, Figure } from './harness/line.ts';
import type { RunnerEnd, RunnerOptions } from './live-runner.ts';
import type { ScriptEnd } from './live-script.ts';

/** What the benches of an account's limits share: passages over a table in real time, and what the provider's books say of them. */

export const LIMITS = { requestsPerMinute: 3_000, tokensPerMinute: 200_000 };
/** So much of a minute's limit may be used at once: a provider that gives a whole minute's in advance forgives too much. */
export const BURST_SECONDS = 10;
export const WARM_UP_SECONDS = 20;
export const TAIL_SECONDS = 5;
/** A row uses some 82 tokens: with this cap three times as much is reserved. */
const CAP_TOKENS = 180;
const PROMPT_TOKENS = 70;
/** As many calls as one process may have under way by itself, over all workers; fewer would be busy waiting. */
const SLOTS = 64;
const LEAST_SLOTS = 24;
const LOOK_MS = 500;
const MINUTE_MS = 60_000;
const RUNNER = new URL('./live-runner.js', import.meta.url);
const SCRIPT = new URL('./script-part.js', import.meta.url);

/** How the provider charges tokens. */
export type Charging = 'actual' | 'reserved';

/** What a passage must come to; percentages. */
interface Promised {
  readonly leastUsed?: number;
  readonly leastUsedInAll?: number;
  readonly mostRefused: number;
  readonly fullestMinute: number;
  readonly latestFirstCallMs: number;
  /** What has to be found out of how the provider charges. */
  readonly charging?: Charging;
}

const PROMISED: Readonly<Record<Charging, Promised>> = {
  actual: { leastUsed: 90, leastUsedInAll: 95, mostRefused: 0.5, fullestMinute: 105, latestFirstCallMs: 1_000 },
  // It is found out by the headers, or by a few refusals; what is used is less than what is charged.
  reserved: { mostRefused: 2, fullestMinute: 105, latestFirstCallMs: 1_000, charging: 'reserved' },
};

/** Figures with a column of their own. */
export const COLUMNS = [
  'rows without an answer',
  '% of the limit used',
  '% used from the first call to the last',
  '% of the calls answered 429',
  '% of the limit in the fullest minute',
  'ms to the first call',
] as const;

/** One more where reservations are charged. */
export const FOUND_COLUMN = 'times found out that reservations are charged';

interface Passage {
  readonly what: string;
  readonly rows: number;
  readonly ok: number;
  readonly use: AccountUse;
  /** From the start of the run to its first call; null where nobody tells. */
  readonly firstCallMs: number | null;
  /** How the throttle thinks that the provider charges; null where it is not asked. */
  readonly tokenCharging: string | null;
  /** Null for what is no program of ours. */
  readonly promised: Promised | null;
}

function makeLine({ what, rows, ok, use, firstCallMs, tokenCharging, promised }: Passage): BenchLine {
  const [without, used, usedInAll, refused, fullest, firstCall] = COLUMNS;
  const most = (limit: number | undefined) => ({ most: limit ?? null });
  const least = (limit: number | undefined) => (limit === undefined ? { most: null } : { most: null, least: limit });
  const figures: Figure[] = [
    { value: rows - ok, of: without, ...most(promised === null ? undefined : 0) },
    { value: use.used * 100, of: used, ...least(promised?.leastUsed) },
    { value: use.usedInAll * 100, of: usedInAll, ...least(promised?.leastUsedInAll) },
    { value: use.refused * 100, of: refused, ...most(promised?.mostRefused) },
    { value: use.fullest * 100, of: fullest, ...most(promised?.fullestMinute) },
    ...(firstCallMs === null ? [] : [{ value: firstCallMs, of: firstCall, ...most(promised?.latestFirstCallMs) }]),
    ...(promised?.charging === undefined ? [] : [{ value: Number(tokenCharging === promised.charging), of: FOUND_COLUMN, ...least(1) }]),
  ];
  return {
    what,
    measured: { wallSeconds: use.seconds, cpuSeconds: null, peakRssMib: null, facts: {} },
    figures,
  };
}

function makeProvider(accounting: Charging): SimulatorOptions {
  return {
    ...LIMITS,
    accounting,
    burstSeconds: BURST_SECONDS,
    latencyMs: { p50Ms: 400, sigma: 0.4 },
    faults: [{ match: { path: '/v1/chat/completions', share: 0.01 }, do: { error: 'server_error' } }],
  };
}

async function onStage<T>(charging: Charging, withRedis: boolean, work: (stage: LiveStage) => Promise<T>): Promise<T> {
  const stage = await makeLiveStage({ provider: makeProvider(charging), ...(withRedis ? { redis: { appendOnly: true } } : {}) });
  try {
    return await work(stage);
  } finally {
    await stage.end();
  }
}

/** Tokens count when a call is answered; a minute is any window of sixty seconds. */
function readUse({ folder }: LiveStage): AccountUse {
  return readAccountUse(
    { billFile: join(folder, 'bill.jsonl'), traceFile: join(folder, 'trace.jsonl') },
    {
      ...LIMITS,
      allowedSeconds: (windowMs) => (windowMs < MINUTE_MS ? MINUTE_MS / 1000 : Number.POSITIVE_INFINITY),
      warmUpMs: WARM_UP_SECONDS * 1000,
      tailMs: TAIL_SECONDS * 1000,
    },
  );
}

/** A whole run from the command line; `workers` 0 makes the calls in its own process. */
export function passJob(what: string, options: { rows: number; workers: number; charging: Charging }): Promise<BenchLine> {
  const { rows, workers, charging } = options;
  return onStage(charging, workers > 0, async (stage) => {
    const { requestsPerMinute, tokensPerMinute } = LIMITS;
    const lines = `limits: { rpm: ${requestsPerMinute}, tpm: ${tokensPerMinute} }\nretry: { attempts: 10 }\n`;
    await writeLiveJob(stage.folder, { rows, capTokens: CAP_TOKENS, lines });
    for (let number = 0; number < workers; number += 1) await stage.startWorker(Math.max(LEAST_SLOTS, SLOTS / workers));
    const tokenCharging = stage.redis === null ? null : watchEnds(stage.redis.url);
    const ended = await stage.run(['run', 'job.yaml', '--yes', '--json', '--progress', 'none']);
    if (ended.exitCode !== 0) throw new Error(`${what}: exit ${ended.exitCode}: ${ended.stderr}`);
    const { ok } = (JSON.parse(ended.stdout) as Summary).rows;
    const firstCallMs = readFirstCall(stage.findState());
    const found = { tokenCharging: (await tokenCharging?.()) ?? null, promised: PROMISED[charging] };
    return makeLine({ what, rows, ok, use: readUse(stage), firstCallMs, ...found });
  });
}

/** The live lane alone in one process, whose throttle tells what it has found. */
export function passLane(what: string, rows: number, charging: Charging): Promise<BenchLine> {
  return onStage(charging, false, async (stage) => {
    const calls = { rows, capTokens: CAP_TOKENS, promptTokens: PROMPT_TOKENS, concurrency: null };
    const options: RunnerOptions = { ...LIMITS, ...calls, baseUrl: stage.providerUrl };
    const { ok, tokenCharging = null } = await stage.runFile<RunnerEnd>(RUNNER, options);
    return makeLine({ what, rows, ok, use: readUse(stage), firstCallMs: null, tokenCharging, promised: PROMISED[charging] });
  });
}

/** The script most people write. */
export function passScript(what: string, rows: number, concurrency: number): Promise<BenchLine> {
  return onStage('actual', false, async (stage) => {
    const options = { baseUrl: stage.providerUrl, rows, concurrency, capTokens: CAP_TOKENS };
    const { ok } = await stage.runFile<ScriptEnd>(SCRIPT, options);
    return makeLine({ what, rows, ok, use: readUse(stage), firstCallMs: null, tokenCharging: null, promised: null });
  });
}

/** Two at a time: they wait more than they work. A failure leaves no process behind. */
export async function passTogether(passages: readonly (() => Promise<BenchLine>)[]): Promise<readonly BenchLine[]> {
  const lines: BenchLine[] = [];
  for (let next = 0; next < passages.length; next += 2) {
    const pair = passages.slice(next, next + 2).map((pass) => pass());
    await Promise.allSettled(pair);
    lines.push(...(await Promise.all(pair)));
  }
  return lines;
}

/** From the event that opens the run to the first call that left, by our own books: the provider's tell only when calls ended. */
function readFirstCall(state: string): number {
  const events = readJsonLines<{ type: string; at: string }>(join(state, 'events.jsonl'));
  const responses = readdirSync(join(state, 'responses')).flatMap((name) =>
    readJsonLines<{ rowmill: { startedAt: string } }>(join(state, 'responses', name)),
  );
  const startedMs = Date.parse(events.find(({ type }) => type === 'run-started')?.at ?? '');
  return Math.min(...responses.map(({ rowmill }) => Date.parse(rowmill.startedAt))) - startedMs;
}

/** Looks into Redis, while workers work, how they think the provider charges. @returns ends it and tells what was seen last */
function watchEnds(url: string): () => Promise<string | null> {
  const redis = new Redis(url);
  let seen: string | null = null;
  const look = async () => {
    for (const key of await redis.keys('rowmill-calls:*:limits')) seen = (await redis.hget(key, 'tokenCharging')) ?? seen;
  };
  const timer = setInterval(() => void look().catch(() => {}), LOOK_MS);
  return async () => {
    clearInterval(timer);
    redis.disconnect();
    return seen;
  };
}
