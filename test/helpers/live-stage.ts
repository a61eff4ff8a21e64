import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { SimulatorOptions } from '../../src/simulator/options.ts';
import { collect, type Ended } from './command-line.ts';
import { PROGRAM } from './program.ts';
import { type RedisServer, startRedis } from './redis-server.ts';
import { endProcess } from './redis-world.ts';

type Environment = Readonly<Record<string, string>>;

/** A provider, a Redis where it is asked for, and programs of ours that use them: every one a process of its own. */
export interface LiveStage {
  readonly folder: string;
  readonly providerUrl: string;
  readonly redis: RedisServer | null;
  /** Runs our program to its end. */
  run(args: readonly string[], env?: Environment): Promise<Ended>;
  /** Starts a worker and waits until it is ready. */
  startWorker(concurrency: number, env?: Environment): Promise<StageWorker>;
  /** Ends the workers as SIGTERM does. */
  endWorkers(): Promise<void>;
  /** Runs a compiled file with these options to its end, and gives the last line it prints, parsed. */
  runFile<T>(file: URL, options: unknown, env?: Environment): Promise<T>;
  /** The state directory of the one job that was run here. */
  findState(): string;
  /** Ends everything and removes the folder. */
  end(): Promise<void>;
}

export interface StageWorker {
  /** What Redis knows it by begins with this. */
  readonly id: string;
  /** SIGKILL. */
  kill(): Promise<void>;
}

/** Without `redis` there is none; with it a server of the stage's own, with an append-only file or without. */
export interface StageOptions {
  readonly provider: SimulatorOptions;
  readonly redis?: { readonly appendOnly: boolean };
}

const PROVIDER = fileURLToPath(new URL('./live-provider.js', import.meta.url));

export async function makeLiveStage(options: StageOptions): Promise<LiveStage> {
  const folder = mkdtempSync(join(tmpdir(), 'rowmill-live-'));
  const provider = spawn(process.execPath, [PROVIDER, folder, JSON.stringify(options.provider)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [providerUrl] = (await once(createInterface({ input: provider.stdout }), 'line')) as [string];
  const redis = options.redis === undefined ? null : await startRedis(options.redis);
  const environment = {
    PATH: process.env.PATH ?? '',
    HOME: folder,
    OPENAI_API_KEY: 'sk-bench',
    ROWMILL_BASE_URL: providerUrl,
    ...(redis === null ? {} : { REDIS_URL: redis.url }),
  };
  const workers = new Set<ChildProcess>();
  const start = (args: readonly string[], env: Environment = {}) =>
    spawn(process.execPath, [PROGRAM, ...args], { cwd: folder, env: { ...environment, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });

  async function endWorkers(): Promise<void> {
    await Promise.all([...workers].map((worker) => endProcess(worker, 'SIGTERM')));
    workers.clear();
  }

  return {
    folder,
    providerUrl,
    redis,
    run: (args, env) => collect(start(args, env)),
    async startWorker(concurrency, env) {
      const worker = start(['worker', '--concurrency', String(concurrency)], env);
      workers.add(worker);
      let said = '';
      worker.stderr.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
      const ended = once(worker, 'exit').then(() => Promise.reject(new Error(`a worker ended before it was ready: ${said}`)));
      ended.catch(() => {});
      const [line] = (await Promise.race([once(createInterface({ input: worker.stdout }), 'line'), ended])) as [string];
      return {
        id: JSON.parse(line).worker,
        async kill() {
          workers.delete(worker);
          await endProcess(worker, 'SIGKILL');
        },
      };
    },
    endWorkers,
    async runFile<T>(file: URL, input: unknown, env: Environment = {}) {
      const child = spawn(process.execPath, [fileURLToPath(file), JSON.stringify(input)], {
        env: { ...process.env, ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const ended = await collect(child);
      if (ended.exitCode !== 0) throw new Error(`${file.pathname} ended with ${ended.exitCode}: ${ended.stderr}`);
      return JSON.parse(ended.stdout.trim().split('\n').at(-1) as string) as T;
    },
    findState() {
      const root = join(folder, '.rowmill');
      return join(root, readdirSync(root)[0] as string);
    },
    async end() {
      await endWorkers();
      provider.stdin.end();
      if (provider.exitCode === null) await once(provider, 'exit');
      await redis?.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
