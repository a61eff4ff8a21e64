import { runProgram } from '../../src/cli/program.ts';
import type { Ended } from './command-line.ts';

/** The surroundings of a command. */
export interface Surroundings {
  readonly cwd: string;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
}

/** Thrown by `process.exit` in place of the end of this process. */
class Exit extends Error {
  readonly exitCode: number;
  constructor(exitCode: number) {
    super(`exit ${exitCode}`);
    this.exitCode = exitCode;
  }
}

let last: Promise<unknown> = Promise.resolve();

/**
 * Runs the program in this process, which saves loading its modules each time. Directory, environment and streams belong to the whole process,
 * so commands run one after the other. Anything that needs a separate process (signals, stdin, a closed stdout) cannot be tested with it.
 */
export function runInProcess(args: readonly string[], surroundings: Surroundings): Promise<Ended> {
  const ended = last.then(() => runAlone(args, surroundings));
  last = ended.catch(() => {});
  return ended;
}

async function runAlone(args: readonly string[], { cwd, env }: Surroundings): Promise<Ended> {
  const before = { cwd: process.cwd(), env: process.env, exit: process.exit, exitCode: process.exitCode };
  const stdout = captureText(process.stdout);
  const stderr = captureText(process.stderr);
  process.chdir(cwd);
  process.env = { ...env };
  process.exit = (code) => {
    throw new Exit(Number(code ?? process.exitCode ?? 0));
  };
  process.exitCode = undefined;
  try {
    const exitCode = await runProgram(['node', 'rowmill', ...args]).then(() => Number(process.exitCode ?? 0), readExit);
    return { exitCode, stdout: stdout.text(), stderr: stderr.text() };
  } finally {
    stdout.end();
    stderr.end();
    process.chdir(before.cwd);
    process.env = before.env;
    process.exit = before.exit;
    process.exitCode = before.exitCode;
  }
}

function readExit(error: unknown): number {
  if (error instanceof Exit) return error.exitCode;
  throw error;
}

/** Keeps the text that is written to a stream from it. Bytes pass: the program writes text, the test runner's reports are bytes. */
function captureText(stream: NodeJS.WriteStream): { text(): string; end(): void } {
  const { write, isTTY } = stream;
  let text = '';
  stream.isTTY = false;
  stream.write = ((chunk: string | Uint8Array, ...rest: []) => {
    if (typeof chunk !== 'string') return write.call(stream, chunk, ...rest);
    text += chunk;
    return true;
  }) as typeof stream.write;
  return {
    text: () => text,
    end() {
      stream.write = write;
      stream.isTTY = isTTY;
    },
  };
}
