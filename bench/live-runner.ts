import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeKey, type Request } from '../src/core/request.ts';
import type { TokenCharging } from '../src/live/limits/throttle.ts';
import { createLocalLane } from '../src/live/local/local-lane.ts';
import { createProvider } from '../src/openai/provider.ts';
import { makeLiveBody, makeLiveText } from '../test/helpers/live-rows.ts';
import { openLiveLedger } from '../test/helpers/live-world.ts';
import { effects, signal } from './bench-job.ts';

/** The live lane by itself in a process of its own, where its throttle can be looked at: `live-runner.js OPTIONS`. */
export interface RunnerOptions {
  readonly baseUrl: string;
  readonly rows: number;
  readonly capTokens: number;
  readonly promptTokens: number;
  readonly requestsPerMinute: number | null;
  readonly tokensPerMinute: number | null;
  readonly concurrency: number | null;
}

/** What the throttle has found, and how many rows have their answer. */
export interface RunnerEnd {
  readonly ok: number;
  readonly tokenCharging: TokenCharging | undefined;
}

function makeRequest(row: number, capTokens: number): Request {
  const url = '/v1/chat/completions';
  const body = JSON.stringify(makeLiveBody(makeLiveText(row), capTokens));
  const key = makeKey(url, body);
  return { key, customId: key, url, body };
}

const options = JSON.parse(process.argv[2] as string) as RunnerOptions;
const directory = mkdtempSync(join(tmpdir(), 'rowmill-live-'));
const ledger = await openLiveLedger(directory);
await ledger.append({ type: 'run-started', run: 'run-1', job: 'live', simulated: true, estimateNanoUsd: null });
const lane = createLocalLane({
  ...effects,
  sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  ledger,
  provider: await createProvider({ apiKey: 'sk-bench', baseUrl: options.baseUrl, clock: effects.clock, startTimer: effects.startTimer }),
  limits: options,
  isDueAgain: (id) => ledger.keys.outcome(id) !== 'ok',
  isAffordable: () => true,
  warn: () => {},
  stopping: signal,
  signal,
});
await lane.resume();
for (let row = 0; row < options.rows; row += 1) await lane.add(makeRequest(row, options.capTokens), options.promptTokens);
while (lane.underWay.length > 0) await lane.nextEnd();
let ok = 0;
for (let id = 0; id < ledger.keys.size; id += 1) ok += ledger.keys.outcome(id) === 'ok' ? 1 : 0;
const end: RunnerEnd = { ok, tokenCharging: lane.view.pace?.tokenCharging };
await lane.close();
await ledger.close();
rmSync(directory, { recursive: true, force: true });
process.stdout.write(`${JSON.stringify(end)}\n`);
