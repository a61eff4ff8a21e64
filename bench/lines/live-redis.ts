import { Redis } from 'ioredis';
import { WINDOW_LIMITS } from '../../src/live/runner/window.ts';
import { whyNoRedisServer } from '../../test/helpers/redis-server.ts';
import type { Bench, BenchLine, Measured } from '../harness/line.ts';
import { onLiveStage, runLiveJob, sayPerRow } from '../live-jobs.ts';

const MIB = 2 ** 20;
/** Beyond this many rows nothing is due to the start of a process, and the code is mostly optimized. */
const FEW_SHARE = 1 / 10;
/** A waiting job of half a kilobyte, with everything that BullMQ and we store about it. */
const REDIS_BYTES_PER_CALL = 4_096;

export const bench: Bench = {
  order: 6,
  heading: 'Live calls of a worker, over Redis',
  introduction:
    'The same calls made by a worker: run and worker together, compared with a run that makes its own calls. Redis, with an append-only file, and the simulator are separate processes; what Redis itself used has its own line and is counted nowhere else.\nBy a profile of 8,000 rows (2026-11-30), the Redis client with BullMQ takes 18 % of the worker and 27 % of the run, a third to a half of that for writing to the socket, so fewer commands are what helps; checks and grants of calls take 8 %. The rest is the calls themselves, which the first line makes too, and a second process whose code has to be compiled and optimized as well. The overhead was 0.88 ms before jobs carried several calls, and 0.75 ms before commands within five milliseconds were combined and ends were collected in fewer rounds (load 6 to 11, and 25), and 0.50 ms when last measured on a busy machine (load 19), where a call by one process took 2.1 ms instead of 0.95.',
  rows: { full: 20_000, small: 2_000 },
  async measure({ rows }) {
    const missing = whyNoRedisServer();
    if (missing !== false) throw new Error(missing);
    const few = Math.ceil(rows * FEW_SHARE);
    const [fewRun, measuredRun] = [await measureRun(few), await measureRun(rows)];
    const [fewShared, { shared, redis }] = [await measureShared(few), await measureShared(rows)];
    const run: BenchLine = { what: 'rowmill run, one process', measured: measuredRun, facts: sayPerRow(measuredRun, rows) };
    const moreMs = subtractCpu(shared, measuredRun);
    const moreMsOfFew = subtractCpu(fewShared.shared, fewRun);
    return [
      run,
      {
        what: 'rowmill run and a worker',
        measured: shared,
        against: [{ line: run }],
        figures: [
          { value: moreMs / rows, of: 'ms CPU a row on top', most: 0.3 },
          {
            value: (moreMs - moreMsOfFew) / (rows - few),
            of: 'ms CPU on top for a further row, the start of the worker left out',
            most: null,
          },
        ],
        facts: sayPerRow(shared, rows),
      },
      {
        what: 'Redis meanwhile',
        measured: { ...shared, cpuSeconds: redis.cpuSeconds, peakRssMib: redis.bytes / MIB } satisfies Measured,
        mostRssMib: Math.round((WINDOW_LIMITS.calls * REDIS_BYTES_PER_CALL) / MIB),
        facts: `${WINDOW_LIMITS.calls} calls in the window at most`,
      },
    ];
  },
};

function measureRun(rows: number): Promise<Measured> {
  return onLiveStage(false, (stage) => runLiveJob(stage, rows, { withWorker: false }));
}

/** Run and worker, and what their Redis used meanwhile. */
function measureShared(rows: number): Promise<{ shared: Measured; redis: { cpuSeconds: number; bytes: number } }> {
  return onLiveStage(true, async (stage) => {
    const client = new Redis(stage.redis?.url ?? '');
    const before = await readUse(client);
    const shared = await runLiveJob(stage, rows, { withWorker: true });
    const after = await readUse(client);
    client.disconnect();
    return { shared, redis: { cpuSeconds: after.cpuSeconds - before.cpuSeconds, bytes: after.bytes - before.bytes } };
  });
}

/** How many milliseconds more the first took. */
function subtractCpu(measured: Measured, baseline: Measured): number {
  return ((measured.cpuSeconds ?? 0) - (baseline.cpuSeconds ?? 0)) * 1000;
}

/** CPU so far, and the most memory so far, as Redis counts its own. */
async function readUse(redis: Redis): Promise<{ cpuSeconds: number; bytes: number }> {
  const [cpu, memory] = await Promise.all([redis.info('cpu'), redis.info('memory')]);
  const read = (info: string, name: string) => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)?.[1]);
  return { cpuSeconds: read(cpu, 'used_cpu_sys') + read(cpu, 'used_cpu_user'), bytes: read(memory, 'used_memory_peak') };
}
