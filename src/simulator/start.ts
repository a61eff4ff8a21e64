import * as fs from 'node:fs';
import type { AddressInfo } from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import { createPromptCache } from './answers/prompt-cache.ts';
import { createAskCounter } from './ask-counter.ts';
import { createBatchWork } from './batches/batch-work.ts';
import { type BillLine, openBill } from './bill.ts';
import { checkOptions } from './check-options.ts';
import { createClock } from './clock.ts';
import type { FaultCount } from './faults/fault-count.ts';
import { readFaultPlan } from './faults/fault-plan-reader.ts';
import { openFaultEngine } from './faults/faults.ts';
import { createHttpServer } from './http/http-server.ts';
import { createLatency } from './latency.ts';
import { DEFAULT_BATCH_SECONDS, DEFAULT_LIMITS, type Latency, type SimulatorLimits, type SimulatorOptions } from './options.ts';
import { createRateLimiter } from './rate-limits.ts';
import type { Simulation } from './simulation.ts';
import { openStore } from './store.ts';
import { openTrace } from './trace.ts';

// The types that a program importing `rowmill/simulator` has to name.
export type { BillLine, FaultCount, Latency, SimulatorLimits, SimulatorOptions };

/** A running simulator. */
export interface Simulator {
  /** The base URL for clients: `http://127.0.0.1:PORT/v1`. */
  readonly url: string;
  readonly port: number;
  /** Everything billed so far, by this process and earlier ones on the same bill. */
  bill(): readonly BillLine[];
  /** How often each fault of the plan has fired. */
  faultsFired(): readonly FaultCount[];
  /** How many requests came in, by `METHOD /v1/path/:id`. */
  requests(): Readonly<Record<string, number>>;
  /** Moves time forward and resolves when the batches have done what is due by then. */
  advance(durationMs: number): Promise<void>;
  /** Ends connections and work; calling it again does nothing. A kept state directory can be started again. */
  close(): Promise<void>;
}

/** Starts a local server that speaks OpenAI's wire protocol. Throws an Error that names each unknown or invalid option, and the place of an error in the fault plan. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  checkOptions(options);
  const plan = readFaultPlan(options.faults ?? []);
  const seed = options.seed ?? 0;
  const stopping = new AbortController();
  const clock = createClock({ now: options.now ?? Date.now, isVirtual: options.virtualTime ?? false });
  const isTemporary = options.stateDirectory === undefined || options.stateDirectory === null;
  const directory = isTemporary ? fs.mkdtempSync(path.join(os.tmpdir(), 'rowmill-simulator-')) : (options.stateDirectory as string);
  const store = openStore(directory, `${clock.now()}/${seed}${options.virtualTime ? '' : `/${process.pid}/${process.hrtime.bigint()}`}`);
  const bill = openBill(options.billFile ?? path.join(directory, 'bill.jsonl'));
  const trace = openTrace(options.traceFile ?? null);
  const faults = openFaultEngine(plan, { seed, directory });
  const looks = new Map<string, number>();
  const { enqueuedTokens } = options;

  const simulation: Simulation = {
    seed,
    clock,
    store,
    bill,
    faults,
    rateLimiter: createRateLimiter(options, clock),
    promptCache: createPromptCache(),
    manner: { style: options.answers ?? 'lifelike', noise: options.noise ?? 0, degrade: options.degrade ?? 0 },
    countAsked: createAskCounter(options.noise ?? 0, bill),
    cacheOptions: options.cacheOptions ?? 'taken',
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    batchMs: (options.batchSeconds ?? DEFAULT_BATCH_SECONDS) * 1000,
    drawLatencyMs: createLatency(options.latencyMs ?? 0, seed),
    enqueuedTokensOf: (model) => (typeof enqueuedTokens === 'object' ? enqueuedTokens[model] : enqueuedTokens),
    listLagMs: options.listLagMs ?? 0,
    listOrder: options.listOrder ?? 'newest_first',
    unsetFields: options.unsetFields ?? 'null',
    signal: stopping.signal,
    startBatch: (batchId) => batchWork.start(batchId, new Map()),
    stopBatch: (batchId) => batchWork.stop(batchId),
    countLook(batchId) {
      looks.set(batchId, (looks.get(batchId) ?? 0) + 1);
      return looks.get(batchId) ?? 1;
    },
  };

  const batchWork = createBatchWork(simulation);
  batchWork.resumeAll();

  const server = createHttpServer(simulation, trace);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, options.host ?? '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  let finalBill: readonly BillLine[] | undefined;
  let ended: Promise<void> | undefined;

  return {
    url: `http://${options.host ?? '127.0.0.1'}:${port}/v1`,
    port,
    bill: () => finalBill ?? bill.read(),
    faultsFired: faults.fired,
    requests: trace.counts,
    advance: clock.advance,
    close() {
      ended ??= end();
      return ended;
    },
  };

  async function end(): Promise<void> {
    stopping.abort();
    clock.stop();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await batchWork.ended();
    if (isTemporary) finalBill = bill.read();
    for (const kept of [bill, trace, faults]) kept.close();
    if (isTemporary) fs.rmSync(directory, { recursive: true, force: true });
  }
}
