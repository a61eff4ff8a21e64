import fs from 'node:fs';
import path from 'node:path';
import type { SimulatorOptions } from '../simulator/options.ts';
import { type Simulator, startSimulator } from '../simulator/start.ts';
import { type Evidence, type Places, readEvidence } from './check/evidence.ts';
import type { Life, LifeEnd } from './life.ts';
import type { SeamPlan } from './seam/plan.ts';
import type { Starter } from './starter.ts';
import { CONCURRENCY, type LaneName, renderJob, renderTable, SECRET_KEY, type SmallRow } from './table.ts';

/** A folder with the small job, and its own provider. */
export interface Arena {
  readonly lane: LaneName;
  readonly places: Places;
  readonly simulator: Simulator;
  /** Starts the command. */
  live(options?: LiveOptions): Life;
  /** Starts a worker, in a process, that makes calls for runs over this Redis. */
  startWorker(redisUrl: string, concurrency?: number): Life;
  /** Repeats the same command until nothing is left to do. @throws if that does not come to an end */
  liveToEnd(options?: LiveOptions): Promise<LifeEnd>;
  read(end: LifeEnd): Evidence;
  close(): Promise<void>;
}

export interface LiveOptions {
  readonly how?: 'thread' | 'process';
  readonly plan?: Partial<SeamPlan>;
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Whether it may spend without asking; true by default. */
  readonly isAgreed?: boolean;
}

export interface ArenaOptions {
  readonly lane: LaneName;
  readonly folder: string;
  /** The faults at the provider. */
  readonly faults: readonly unknown[];
  readonly simulator?: SimulatorOptions;
  /** Of the table; those of the small job if absent. */
  readonly rows?: readonly SmallRow[];
  /** Additional lines of the job. */
  readonly job?: readonly string[];
  /** The job's `limits`; a small concurrency if absent. */
  readonly limits?: string;
  readonly seed?: number;
}

const BATCH_SECONDS = 0.05;
const LATENCY_MS = 8;
/** Each interruption may cost one more life; a few more mean that something is stuck. */
const MOST_LIVES = 8;
const SHOWN_LINES = 6;

export async function openArena(starter: Starter, options: ArenaOptions): Promise<Arena> {
  const { lane, folder } = options;
  fs.mkdirSync(folder, { recursive: true });
  const provider = path.join(folder, 'provider');
  fs.writeFileSync(path.join(folder, 'in.csv'), renderTable(options.rows));
  fs.writeFileSync(path.join(folder, 'job.yaml'), renderJob(lane, options));
  const simulator = await startSimulator({
    stateDirectory: provider,
    answers: 'plain',
    batchSeconds: BATCH_SECONDS,
    latencyMs: LATENCY_MS,
    faults: options.faults,
    seed: options.seed ?? 0,
    ...options.simulator,
  });
  const places: Places = {
    folder,
    provider,
    input: path.join(folder, 'in.csv'),
    table: path.join(folder, 'out.csv'),
    state: path.join(folder, '.rowmill', `proof@127.0.0.1-${simulator.port}`),
  };
  let lives = 0;

  function makePlan(plan: Partial<SeamPlan>): SeamPlan {
    lives += 1;
    const beside = `${folder}.${lives}`;
    const backups = plan.crash === undefined ? {} : { backups: `${beside}.backups` };
    return { under: [`${folder}/`], reportPath: `${beside}.report`, ...backups, ...plan };
  }

  function live({ how = 'thread', plan = {}, flags = [], env = {}, isAgreed = true }: LiveOptions = {}): Life {
    return starter.live(how, {
      plan: makePlan(plan),
      args: ['run', path.join(folder, 'job.yaml'), '--base-url', simulator.url, ...FLAGS, ...(isAgreed ? ['--yes'] : []), ...flags],
      env: { ...ENVIRONMENT, ...env },
    });
  }

  return {
    lane,
    places,
    simulator,
    live,
    startWorker: (redisUrl, concurrency = CONCURRENCY) =>
      starter.live('process', {
        plan: makePlan({}),
        args: ['worker', '--redis', redisUrl, '--concurrency', String(concurrency)],
        env: { ...ENVIRONMENT, ROWMILL_BASE_URL: simulator.url },
      }),
    async liveToEnd(options) {
      let end: LifeEnd | null = null;
      for (let left = MOST_LIVES; left > 0; left -= 1) {
        end = await live(options).ended;
        if (end.exitCode === 0 || end.exitCode === 3) return end;
        if (end.isStuck || (end.exitCode !== 5 && end.exitCode !== 7)) break;
      }
      throw new Error(`the command does not continue: ${describeEnd(end)}`);
    },
    read: (end) => readEvidence(places, readObject(end.stdout)),
    close: () => simulator.close(),
  };
}

const FLAGS = ['--json', '--progress', 'none', '--looks', '0.05,0.2,0.6'];
const ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH: process.env.PATH ?? '',
  HOME: process.env.HOME ?? '',
  OPENAI_API_KEY: SECRET_KEY,
  ROWMILL_POLL_MAX: '50ms',
  // After a power cut it is unknown whether the holder of the lock is alive: it is watched this long.
  ROWMILL_TAKEOVER_MS: '600',
};

function readObject(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export function describeEnd(end: LifeEnd | null): string {
  if (end === null) return 'it was not started';
  const how = end.isStuck ? 'it hung' : end.exitCode === null ? 'it was killed' : `exit ${end.exitCode}`;
  const said = end.stderr.split('\n').filter((line) => line.trim() !== '' && !/^\s+at /.test(line));
  return `${how}: ${said.slice(-SHOWN_LINES).join('\n')}`;
}
