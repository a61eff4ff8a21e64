import { spawn, spawnSync } from 'node:child_process';
import { createScreen } from './screen.ts';

/** What a person saw, and how it ended. */
export interface Seen {
  readonly exitCode: number | null;
  /** The whole screen with its history, as it stood at the end. */
  readonly text: string;
  /** The same as it stood when keys were typed. */
  readonly before: readonly string[];
}

export interface TerminalOptions {
  readonly cwd: string;
  readonly columns: number;
  readonly env: Readonly<Record<string, string>>;
  /** Keys to type, each as soon as this has been written since the one before, or so many milliseconds later. */
  readonly typed?: readonly { readonly after: RegExp; readonly keys: string; readonly pauseMs?: number }[];
}

/** Why there is no pseudo terminal to be had here; null when there is. Node alone cannot open one: `script` of util-linux does. */
export function findTerminalProblem(): string | null {
  const { status } = spawnSync('script', ['-qec', 'stty size', '/dev/null'], { stdio: ['pipe', 'ignore', 'ignore'] });
  return status === 0 ? null : 'there is no pseudo terminal here: it takes the command script of util-linux, and stty';
}

/** Runs a command in a pseudo terminal of so many columns, and a shell that ends with it. */
export async function runInTerminal(command: string, { cwd, columns, env, typed = [] }: TerminalOptions): Promise<Seen> {
  const screen = createScreen(columns, 60);
  const waiting = [...typed];
  const before: string[] = [];
  const child = spawn('script', ['-qec', `stty cols ${columns} rows 60; ${command}`, '/dev/null'], {
    cwd,
    env: { ...env, TERM: 'xterm', SHELL: '/bin/sh' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let written = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen.stream.write(text);
    written += text;
    const [next] = waiting;
    if (next === undefined || !next.after.test(written)) return;
    waiting.shift();
    written = '';
    void screen.read().then((seen) => {
      before.push(seen);
      setTimeout(() => child.stdin.write(next.keys), next.pauseMs ?? 0);
    });
  });
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (waiting.length > 0) throw new Error(`${waiting[0]?.after} was never seen in:\n${await screen.read()}`);
  const text = await screen.read();
  screen.dispose();
  return { exitCode, text, before };
}
