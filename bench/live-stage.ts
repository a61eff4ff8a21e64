import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { SimulatorOptions } from '../src/simulator/options.ts';
import { collect, type Ended, PROGRAM } from '../test/helpers/command-line.ts';
import { type RedisServer, startRedis } from '../test/helpers/redis-server.ts';
import { endProcess } from '../test/helpers/redis-world.ts';

/** A provider, a Redis where it is asked for, and programs of ours that use them: every one a process of its own. */
export interface LiveStage {
  readonly folder: string;
  readonly providerUrl: string;
  readonly redis: RedisServer | null;
  /** Runs our program to its end. */
  run(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Ended>;
  /** Starts so many workers and waits until each is ready. */
  startWorkers(count: number, concurrency: number, env?: Readonly<Record<string, string>>): Promise<void>;
  /** Ends the workers as SIGTERM does. */
  endWorkers(): Promise<void>;
  /** Runs a bench file to its end and gives the last line it prints, parsed. */
  runFile<T>(name: string, options: unknown, env?: Readonly<Record<string, string>>): Promise<T>;
  /** Ends everything and removes the folder. */
  end(): Promise<void>;
}

const PROVIDER = fileURLToPath(new URL('./live-provider.js', import.meta.url));

/** `withRedis`: a real server of the stage's own, with an append-only file. */
export async function makeLiveStage(options: SimulatorOptions, withRedis: boolean): Promise<LiveStage> {
  const folder = mkdtempSync(join(tmpdir(), 'rowmill-live-'));
  const provider = spawn(process.execPath, [PROVIDER, folder, JSON.stringify(options)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [providerUrl] = (await once(createInterface({ input: provider.stdout }), 'line')) as [string];
  const redis = withRedis ? await startRedis({ appendOnly: true }) : null;
  const environment = { PATH: process.env.PATH ?? '', HOME: folder, OPENAI_API_KEY: 'sk-bench', ROWMILL_BASE_URL: providerUrl };
  const workers: ChildProcess[] = [];
  const start = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    spawn(process.execPath, [PROGRAM, ...args], { cwd: folder, env: { ...environment, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const redisFlags = redis === null ? [] : ['--redis', redis.url];

  async function endWorkers(): Promise<void> {
    await Promise.all(workers.splice(0).map((worker) => endProcess(worker, 'SIGTERM')));
  }

  return {
    folder,
    providerUrl,
    redis,
    run: (args, env) => collect(start([...args, ...redisFlags], env)),
    async startWorkers(count, concurrency, env) {
      for (let number = 0; number < count; number += 1) {
        const worker = start(['worker', ...redisFlags, '--concurrency', String(concurrency)], env);
        workers.push(worker);
        let said = '';
        worker.stderr.setEncoding('utf8').on('data', (text: string) => {
          said += text;
        });
        const ended = once(worker, 'exit').then(() => {
          throw new Error(`a worker ended before it was ready: ${said}`);
        });
        ended.catch(() => {});
        await Promise.race([once(worker.stdout, 'data'), ended]);
        worker.stdout.resume();
      }
    },
    endWorkers,
    async runFile<T>(name: string, input: unknown, env: Readonly<Record<string, string>> = {}) {
      const file = fileURLToPath(new URL(`./${name}.js`, import.meta.url));
      const child = spawn(process.execPath, [file, JSON.stringify(input)], {
        env: { ...process.env, ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const ended = await collect(child);
      if (ended.exitCode !== 0) throw new Error(`${name} ended with ${ended.exitCode}: ${ended.stderr}`);
      return JSON.parse(ended.stdout.trim().split('\n').at(-1) as string) as T;
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

/** The lines of a file of JSON lines; none where it is not there. */
export function readJsonLines<T>(path: string): readonly T[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}
