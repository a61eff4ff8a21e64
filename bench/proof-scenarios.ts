import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { Summary } from '../src/core/summary.ts';
import type { SimulatorOptions } from '../src/simulator/options.ts';
import { writeLiveJob } from '../test/helpers/live-rows.ts';
import { type LiveStage, makeLiveStage, readJsonLines } from '../test/helpers/live-stage.ts';
import { type Evidence, type ProofLimits, readEvidence } from './live-evidence.ts';
import type { RunnerEnd, RunnerOptions } from './live-runner.ts';
import type { ScriptEnd } from './live-script.ts';

/** What one passage over the table came to. */
export interface Passage {
  readonly what: string;
  readonly rows: number;
  readonly ok: number;
  readonly evidence: Evidence;
  /** From the start of the run to its first call; null where nobody tells. */
  readonly firstCallMs: number | null;
  /** How the throttle thinks that the provider charges; null where it is not asked. */
  readonly tokenCharging: string | null;
}

export const LIMITS: ProofLimits = { requestsPerMinute: 3_000, tokensPerMinute: 200_000 };
/** A row uses some 82 tokens: with this cap three times as much is reserved. */
export const CAP_TOKENS = 180;
const PROMPT_TOKENS = 70;
/** As many calls as one process may have under way by itself, over all workers; fewer would be busy waiting. */
const SLOTS = 64;
const LEAST_SLOTS = 24;
const LOOK_MS = 500;
const RUNNER = new URL('./live-runner.js', import.meta.url);
const SCRIPT = new URL('./script-part.js', import.meta.url);

/** So much of a minute's limit may be used at once: a provider that gives a whole minute's in advance forgives too much. */
export const BURST_SECONDS = 10;

const PROVIDER: SimulatorOptions = {
  ...LIMITS,
  burstSeconds: BURST_SECONDS,
  latencyMs: { p50Ms: 400, sigma: 0.4 },
  faults: [{ match: { path: '/v1/chat/completions', share: 0.01 }, do: { error: 'server_error' } }],
};
export const RESERVING: SimulatorOptions = { ...PROVIDER, accounting: 'reserved' };

async function onStage<T>(options: SimulatorOptions, withRedis: boolean, work: (stage: LiveStage) => Promise<T>): Promise<T> {
  const stage = await makeLiveStage({ provider: options, ...(withRedis ? { redis: { appendOnly: true } } : {}) });
  try {
    return await work(stage);
  } finally {
    await stage.end();
  }
}

/** A whole run from the command line; `workers` 0 makes the calls in its own process. */
export function passJob(what: string, options: { rows: number; workers: number; provider?: SimulatorOptions }): Promise<Passage> {
  const { rows, workers, provider = PROVIDER } = options;
  return onStage(provider, workers > 0, async (stage) => {
    const { requestsPerMinute, tokensPerMinute } = LIMITS;
    const lines = `limits: { rpm: ${requestsPerMinute}, tpm: ${tokensPerMinute} }\nretry: { attempts: 10 }\n`;
    await writeLiveJob(stage.folder, { rows, capTokens: CAP_TOKENS, lines });
    for (let number = 0; number < workers; number += 1) await stage.startWorker(Math.max(LEAST_SLOTS, SLOTS / workers));
    const tokenCharging = stage.redis === null ? null : watchEnds(stage.redis.url);
    const ended = await stage.run(['run', 'job.yaml', '--yes', '--json', '--progress', 'none']);
    if (ended.exitCode !== 0) throw new Error(`${what}: exit ${ended.exitCode}: ${ended.stderr}`);
    const summary = JSON.parse(ended.stdout) as Summary;
    const evidence = readEvidence(stage.folder, LIMITS);
    return {
      what,
      rows,
      ok: summary.rows.ok,
      evidence,
      firstCallMs: readFirstCall(stage.findState()),
      tokenCharging: (await tokenCharging?.()) ?? null,
    };
  });
}

/** The live lane alone in one process, whose throttle tells what it has found. */
export function passLane(what: string, rows: number): Promise<Passage> {
  return onStage(RESERVING, false, async (stage) => {
    const calls = { rows, capTokens: CAP_TOKENS, promptTokens: PROMPT_TOKENS, concurrency: null };
    const options: RunnerOptions = { ...LIMITS, ...calls, baseUrl: stage.providerUrl };
    const { ok, tokenCharging = null } = await stage.runFile<RunnerEnd>(RUNNER, options);
    return { what, rows, ok, evidence: readEvidence(stage.folder, LIMITS), firstCallMs: null, tokenCharging };
  });
}

/** The script most people write. */
export function passScript(what: string, rows: number, concurrency: number): Promise<Passage> {
  return onStage(PROVIDER, false, async (stage) => {
    const options = { baseUrl: stage.providerUrl, rows, concurrency, capTokens: CAP_TOKENS };
    const { ok } = await stage.runFile<ScriptEnd>(SCRIPT, options);
    return { what, rows, ok, evidence: readEvidence(stage.folder, LIMITS), firstCallMs: null, tokenCharging: null };
  });
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
