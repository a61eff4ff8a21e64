import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { PROGRAM } from './program.ts';

/** Why no process can get its own pid namespace here; null if it can. */
export function whyNoNamespaces(): string | null {
  if (process.platform !== 'linux') return "pid namespaces are Linux's";
  const { status, error, stderr } = spawnSync('unshare', ['--pid', '--fork', '--mount-proc', 'true'], { encoding: 'utf8' });
  if (status === 0) return null;
  return `unshare --pid is not allowed here (${error?.message ?? stderr.trim()})`;
}

const FAKETIME = ['/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1', '/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1'];

/** The environment of a process whose wall clock differs, for example by `+1h`; null where libfaketime is not installed. */
export function shiftClock(by: string): Readonly<Record<string, string>> | null {
  const library = FAKETIME.find((path) => existsSync(path));
  return library === undefined ? null : { LD_PRELOAD: library, FAKETIME: by, FAKETIME_DONT_FAKE_MONOTONIC: '1' };
}

/** The program, running as the first process of a pid namespace of its own: to it, and to all others, a pid of elsewhere means nothing. */
export interface Elsewhere {
  readonly ended: Promise<number | null>;
  said(): string;
  /** Signals the program itself. */
  signal(name: NodeJS.Signals): void;
}

export function startElsewhere(
  t: Pick<TestContext, 'after'>,
  options: { readonly cwd: string; readonly args: readonly string[]; readonly env: Readonly<Record<string, string | undefined>> },
): Elsewhere {
  const child = spawn('unshare', ['--pid', '--fork', '--mount-proc', '--kill-child', process.execPath, PROGRAM, ...options.args], {
    cwd: options.cwd,
    env: { ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.after(() => {
    child.kill('SIGKILL');
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  }
  return {
    ended: new Promise((resolve) => child.once('close', resolve)),
    said: () => said,
    signal: (name) => process.kill(findFirstChild(child), name),
  };
}

function findFirstChild({ pid }: ChildProcess): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ')[0]);
}
