import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import type { BatchContext } from '../../src/batch/context.ts';
import { makeKey, makeRequestLine, type Request } from '../../src/core/request.ts';
import type { StartTimer } from '../../src/core/timer.ts';
import { createWaitTeller } from '../../src/core/waiting/wait-teller.ts';
import { startTimer as startRealTimer } from '../../src/host/real-effects.ts';
import { readOwnIdentity } from '../../src/ledger/disk/process-identity.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { openLedger } from '../../src/ledger/open-ledger.ts';
import { createProvider } from '../../src/openai/provider.ts';
import type { SimulatorOptions } from '../../src/simulator/options.ts';
import { type Simulator, startSimulator } from '../../src/simulator/start.ts';
import { CANARY_KEY, SPEED } from './run-world.ts';
import { createSkippedTime, type SkippedTime } from './skipped-time.ts';

/** The batch lane by itself: a ledger, a provider and what every step is handed, on fast time. */
export interface LaneWorld {
  readonly context: BatchContext;
  readonly ledger: Ledger;
  readonly simulator: Simulator;
  readonly warnings: string[];
  /** Writes a shard of these requests. @returns its id */
  writeShard(requests: readonly Request[]): Promise<string>;
  /** Every batch the provider holds. */
  readBatches(): readonly { readonly id: string; readonly status: string; readonly metadata: Readonly<Record<string, string>> | null }[];
  close(): Promise<void>;
}

export function makeRequest(text: string): Request {
  const url = '/v1/chat/completions';
  const body = JSON.stringify({ model: 'gpt-4o-mini', messages: [{ role: 'user', content: text }] });
  const key = makeKey(url, body);
  return { key, customId: key, url, body };
}

export async function makeLaneWorld(
  options: SimulatorOptions & {
    readonly looksMs?: readonly number[];
    readonly startTimer?: StartTimer;
    readonly time?: Pick<SkippedTime, 'clock' | 'sleep'>;
  } = {},
): Promise<LaneWorld> {
  const { looksMs = [5_000, 20_000, 65_000], startTimer = startRealTimer, time = createSkippedTime(SPEED), ...simulatorOptions } = options;
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'rowmill-'));
  const { clock, sleep } = time;
  const monotonicMs = () => clock().getTime();
  const providerDirectory = path.join(root, 'provider');
  const simulator = await startSimulator({
    answers: 'plain',
    stateDirectory: providerDirectory,
    batchSeconds: 0,
    now: () => clock().getTime(),
    ...simulatorOptions,
  });
  const signal = new AbortController().signal;
  let ids = 0;
  const ledger = await openLedger({
    directory: path.join(root, 'state'),
    origin: 'simulator',
    job: 'lane',
    access: 'write',
    checkAnswer: (text) => ({ ok: true, value: text }),
    rulesHash: 'rules',
    visit: () => undefined,
    clock,
    randomId: () => `id${process.pid}x${++ids}`,
    processIdentity: readOwnIdentity(),
    signal,
  });
  await ledger.append({ type: 'run-started', run: 'run-1', job: 'lane', simulated: true, estimateNanoUsd: null });
  const warnings: string[] = [];
  const warn = (message: string) => void warnings.push(message);
  return {
    ledger,
    simulator,
    warnings,
    context: {
      ledger,
      provider: await createProvider({ apiKey: CANARY_KEY, baseUrl: simulator.url, clock, startTimer }),
      jobName: 'lane',
      settings: { looksMs, pollMaxMs: 4_000 },
      clock,
      monotonicMs,
      sleep,
      startTimer,
      random: () => 0.5,
      stopping: signal,
      signal,
      waits: createWaitTeller({ warn, clock, monotonicMs }),
      warn,
    },
    async writeShard(requests) {
      const writer = ledger.createShardWriter(ledger.nextShardId());
      for (const request of requests) await writer.add(makeRequestLine(request), request.customId, 5);
      await writer.finish({ model: 'gpt-4o-mini', url: '/v1/chat/completions' });
      return writer.shard;
    },
    readBatches() {
      const directory = path.join(providerDirectory, 'batches');
      return fs.readdirSync(directory).map((name) => JSON.parse(fs.readFileSync(path.join(directory, name), 'utf8')).wire);
    },
    async close() {
      await ledger.close();
      await simulator.close();
      fs.rmSync(root, { recursive: true, force: true });
    },
  };
}
