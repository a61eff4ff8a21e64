import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import type { TestContext } from 'node:test';
import { decideNextStep } from '../../src/core/outcome.ts';
import { makeKey, type Request } from '../../src/core/request.ts';
import type { StartTimer } from '../../src/core/timer.ts';
import { startTimer as startRealTimer } from '../../src/host/real-effects.ts';
import { readOwnIdentity } from '../../src/ledger/disk/process-identity.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { openLedger } from '../../src/ledger/open-ledger.ts';
import type { LiveLane } from '../../src/live/lane.ts';
import { createLocalLane, type LocalLaneOptions } from '../../src/live/local/local-lane.ts';
import { createProvider } from '../../src/openai/provider.ts';
import type { SimulatorOptions } from '../../src/simulator/options.ts';
import { type Simulator, startSimulator } from '../../src/simulator/start.ts';
import { createPacedTime, type PacedTime } from './paced-time.ts';

/** The live lane by itself: a ledger, a simulator, and real calls between them. */
export interface LiveWorld {
  readonly directory: string;
  readonly ledger: Ledger;
  readonly simulator: Simulator;
  readonly lane: LiveLane;
  readonly clock: PacedTime['clock'];
  readonly sleep: PacedTime['sleep'];
  /** What was said to the person. */
  readonly warnings: readonly string[];
  readonly stopping: AbortController;
  readonly ending: AbortController;
  /** Hands requests to the lane and waits until nothing is on its way. @throws what stopped the lane */
  run(requests: readonly Request[], tokens?: number): Promise<void>;
  outcomes(requests: readonly Request[]): readonly (string | null)[];
  /** The events of the ledger, parsed. */
  readEvents(): readonly { readonly type: string; readonly [field: string]: unknown }[];
}

export interface LiveWorldOptions extends SimulatorOptions {
  readonly jobLimits?: Partial<LocalLaneOptions['limits']>;
  readonly tokenCharging?: LocalLaneOptions['tokenCharging'];
  readonly attempts?: number;
  readonly onUnknown?: 'retry' | 'hold';
  readonly startTimer?: StartTimer;
  /** How much faster than real time clocks and sleeps run. */
  readonly speed?: number;
  readonly baseUrl?: string;
  readonly apiKey?: string;
  readonly isAffordable?: (request: Request) => boolean;
}

export function makeLiveRequest(text: string, body: Readonly<Record<string, unknown>> = {}): Request {
  const url = '/v1/chat/completions';
  const json = JSON.stringify({ model: 'gpt-4o-mini', messages: [{ role: 'user', content: text }], max_completion_tokens: 60, ...body });
  const key = makeKey(url, json);
  return { key, customId: key, url, body: json };
}

export function makeLiveRequests(count: number, body?: Readonly<Record<string, unknown>>): readonly Request[] {
  return Array.from({ length: count }, (_, index) => makeLiveRequest(`Say something about number ${index}`, body));
}

export async function openLiveLedger(directory: string, clock: () => Date = () => new Date()): Promise<Ledger> {
  let ids = 0;
  return openLedger({
    directory,
    origin: 'simulator',
    job: 'live',
    access: 'write',
    checkAnswer: (text) => (text.startsWith('no ') ? { ok: false, message: 'it begins with no' } : { ok: true, value: text }),
    rulesHash: 'rules',
    visit: () => undefined,
    clock,
    randomId: () => `id${process.pid}x${++ids}`,
    processIdentity: readOwnIdentity(),
    signal: new AbortController().signal,
  });
}

export async function makeLiveWorld(t: TestContext, options: LiveWorldOptions = {}): Promise<LiveWorld> {
  const {
    jobLimits,
    tokenCharging,
    attempts = 3,
    onUnknown = 'retry',
    startTimer = startRealTimer,
    speed = 1,
    baseUrl,
    apiKey,
    isAffordable,
    ...simulated
  } = options;
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'rowmill-'));
  const { clock, monotonicMs, sleep, stop } = createPacedTime(speed);
  const simulator = await startSimulator({
    answers: 'plain',
    stateDirectory: path.join(root, 'provider'),
    now: () => clock().getTime(),
    ...simulated,
  });
  const directory = path.join(root, 'state');
  const ledger = await openLiveLedger(directory, clock);
  await ledger.append({ type: 'run-started', run: 'run-1', job: 'live', simulated: true, estimateNanoUsd: null });
  const stopping = new AbortController();
  const ending = new AbortController();
  const { keys } = ledger;
  const warnings: string[] = [];
  let ids = 0;
  const provider = await createProvider({
    apiKey: apiKey ?? 'sk-live-test',
    baseUrl: baseUrl ?? simulator.url,
    clock,
    startTimer,
  });
  const lane = createLocalLane({
    ledger,
    provider,
    limits: { requestsPerMinute: null, tokensPerMinute: null, concurrency: null, ...jobLimits },
    ...(tokenCharging === undefined ? {} : { tokenCharging }),
    isDueAgain: (id) => {
      const progress = { outcome: keys.outcome(id) ?? 'missing', attempts: keys.attempts(id), idleRounds: keys.idleRounds(id) };
      return decideNextStep(progress, { attempts, onUnknown, hasOutputCap: true }) === 'again';
    },
    isAffordable: isAffordable ?? (() => true),
    warn: (message) => void warnings.push(message),
    clock,
    monotonicMs,
    sleep,
    random: () => 0.5,
    randomId: () => `p${process.pid}n${++ids}`,
    stopping: stopping.signal,
    signal: ending.signal,
  });
  await lane.resume();
  t.after(async () => {
    stopping.abort();
    ending.abort();
    await lane.drain().catch(() => undefined);
    await lane.close();
    await ledger.close();
    await simulator.close();
    stop();
    fs.rmSync(root, { recursive: true, force: true });
  });
  return {
    directory,
    ledger,
    simulator,
    lane,
    clock,
    sleep,
    warnings,
    stopping,
    ending,
    async run(requests, tokens = 20) {
      for (const request of requests) await lane.add(request, tokens);
      await lane.flush();
      while (lane.underWay.length > 0) await lane.nextEnd();
      await lane.nextEnd();
    },
    outcomes: (requests) => requests.map(({ key }) => (keys.find(key) === -1 ? null : keys.outcome(keys.find(key)))),
    readEvents: () =>
      fs
        .readFileSync(path.join(directory, 'events.jsonl'), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { type: string }),
  };
}
