import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SHORT_LIVED } from '../../src/prove/short-lived.ts';
import { PROGRAM } from './program.ts';
import { runInProcess } from './run-in-process.ts';

/** How a command ended. */
export interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface World {
  readonly folder: string;
  /** Runs the program here to its end, within this process; without a key, unless `env` gives one. */
  run(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Ended>;
  /** The same in a separate process. */
  spawn(args: readonly string[], env?: Readonly<Record<string, string>>, stdin?: string): Promise<Ended>;
  /** The one JSON object a command prints. Throws when it prints anything else. */
  json<T = Record<string, unknown>>(
    args: readonly string[],
    env?: Readonly<Record<string, string>>,
  ): Promise<T & { exitCode: number | null }>;
  /** Starts the program and leaves it running. */
  start(args: readonly string[], env?: Readonly<Record<string, string>>): ChildProcess;
  dispose(): void;
}

/** A folder of its own with these files, in which the program is run. */
export function createWorld(files: Readonly<Record<string, string>>): World {
  const folder = mkdtempSync(join(tmpdir(), 'rowmill-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);

  const environment = {
    PATH: process.env.PATH ?? '',
    HOME: folder,
    TMPDIR: tmpdir(),
    ROWMILL_POLL_MAX: '50ms',
    ROWMILL_SIMULATE_ANSWERS: 'plain',
    ROWMILL_TAKEOVER_MS: '600',
  };
  const start: World['start'] = (args, env = {}) =>
    spawn(process.execPath, [...SHORT_LIVED, PROGRAM, ...args], {
      cwd: folder,
      env: { ...environment, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
  const run: World['run'] = (args, env = {}) => runInProcess(args, { cwd: folder, env: { ...environment, ...env } });
  return {
    folder,
    run,
    start,
    spawn(args, env, stdin = '') {
      const child = start(args, env);
      child.stdin?.on('error', () => {}).end(stdin);
      return collect(child);
    },
    async json<T>(args: readonly string[], env?: Readonly<Record<string, string>>) {
      const { exitCode, stdout, stderr } = await run([...args, '--json'], env);
      const lines = stdout.split('\n').filter((line) => line !== '');
      if (lines.length !== 1) throw new Error(`not one object on stdout (exit ${exitCode}): ${stdout}\n${stderr}`);
      return { ...(JSON.parse(lines[0] as string) as T), exitCode };
    },
    dispose: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Waits for a process and takes in what it prints. */
export function collect(child: ChildProcess): Promise<Ended> {
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode) => resolve({ exitCode, stdout, stderr }));
  });
}

/** A key that no message may contain. */
export const CANARY_KEY = 'sk-canary-7Qm2xV9tLpB4nR8wZk3JdH6s';

/** Six reviews, two of them the same, one empty. */
export const REVIEWS = `id,text
1,I like it a lot
2,It broke on the first day
3,"Fine, I suppose"
4,I like it a lot
5,
6,Стул скрипит
`;

/** A job over them that asks for one field. */
export const REVIEW_JOB = `name: reviews
input: { path: reviews.csv, id: id }
model: gpt-4o-mini
prompt: "Which sentiment? {{ text }}"
output: { sentiment: positive | negative }
params: { max_output_tokens: 50 }
write: { path: out.csv }
fail_if: { skipped_rows: 1 }
`;
