import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { decideNextStep } from '../../src/core/outcome.ts';
import { startTimer } from '../../src/host/real-effects.ts';
import { createLocalLane } from '../../src/live/local/local-lane.ts';
import { createProvider } from '../../src/openai/provider.ts';
import { makeLiveRequests, openLiveLedger } from './live-world.ts';

/**
 * A process of its own that calls rows through the live lane until all have their end, and prints what the books say then:
 * `live-caller.ts DIRECTORY BASE_URL ROWS CONCURRENCY retry|hold`. It may be killed at any moment and started again.
 */
const [directory, baseUrl, rows, concurrency, onUnknown] = process.argv.slice(2) as [string, string, string, string, 'retry' | 'hold'];
const ledger = await openLiveLedger(directory);
if (ledger.fold.currentRun === null)
  await ledger.append({ type: 'run-started', run: 'run-1', job: hostname(), simulated: true, estimateNanoUsd: null });
const { keys } = ledger;
const never = new AbortController().signal;
const stepOf = (id: number) => {
  const outcome = keys.outcome(id);
  if (outcome === null) return 'new';
  return decideNextStep({ outcome, attempts: keys.attempts(id), idleRounds: 0 }, { attempts: 1_000, onUnknown, hasOutputCap: true });
};
const started = Date.now();
const lane = createLocalLane({
  ledger,
  provider: await createProvider({ apiKey: 'sk-live-test', baseUrl, clock: () => new Date(), startTimer }),
  limits: { requestsPerMinute: null, tokensPerMinute: null, concurrency: Number(concurrency) },
  isDueAgain: (id) => stepOf(id) === 'again',
  isAffordable: () => true,
  warn: () => {},
  clock: () => new Date(),
  monotonicMs: () => performance.now(),
  sleep: (milliseconds, signal) => delay(milliseconds, undefined, { signal }).catch(() => signal.throwIfAborted()),
  random: Math.random,
  randomId: () => `p${process.pid}t${started}`,
  stopping: never,
  signal: never,
});
await lane.resume();
for (const request of makeLiveRequests(Number(rows))) {
  const id = keys.find(request.key);
  const step = id === -1 ? 'new' : stepOf(id);
  if (step === 'new' || step === 'again') await lane.add(request, 20);
}
while (lane.underWay.length > 0) await lane.nextEnd();
await lane.close();
await ledger.close();
