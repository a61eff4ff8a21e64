import { isMainThread, type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { moveTo, skewClock, takePid } from './believe.ts';
import { createLifeSeam, type Ends, type LifeSeam } from './life-seam.ts';
import { original, patchDisk } from './patch-fs.ts';
import { FIRST_PID, type SeamPlan, type SeamReport, type ThreadData, type ThreadLife, type ThreadMessage } from './plan.ts';

/**
 * Loaded before the command, between it and `node:fs`; the command does not know about it. A process gets it by `--import` and its plan by
 * `ROWMILL_PROVE_SEAM`, and really dies. A thread executes one run after another, each with its own plan, until one of them crashes.
 */

let seam: LifeSeam | null = null;

await patchDisk({
  isWatched: (file) => seam?.isWatched(file) ?? false,
  begin: (operation) => seam?.begin(operation) ?? null,
  meanwhile: (operation) => seam?.meanwhile(operation),
  end: (operation) => seam?.end(operation),
});

function begin(plan: SeamPlan, ends: Omit<Ends, 'jumpClock'>): LifeSeam {
  skewClock(0);
  moveTo(plan.place ?? null);
  seam = createLifeSeam(plan, { ...ends, jumpClock: skewClock });
  return seam;
}

/** Does nothing forever: whoever has to end this has been told. */
function waitForTheEnd(): never {
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

function liveAsProcess(plan: SeamPlan): void {
  const tell = (report: SeamReport) => {
    if (plan.reportPath !== undefined) original.writeFileSync(plan.reportPath, JSON.stringify(report));
  };
  const own = begin(plan, {
    crash(report) {
      tell(report);
      process.kill(process.pid, 'SIGKILL');
      return waitForTheEnd();
    },
    freeze(report) {
      tell(report);
      process.kill(process.pid, 'SIGSTOP');
    },
  });
  process.on('exit', () => tell(own.report()));
}

/** Thrown by `process.exit` in a thread with further lives. */
class Exit extends Error {
  readonly exitCode: number;
  constructor(exitCode: number) {
    super(`exit ${exitCode}`);
    this.exitCode = exitCode;
  }
}

async function liveAsThread({ plan, args, env, pid }: ThreadLife, { program, pids }: ThreadData, port: MessagePort): Promise<void> {
  const tell = (message: ThreadMessage) => port.postMessage(message);
  takePid(pid, pids);
  const own = begin(plan, {
    crash(report) {
      tell({ type: 'crashed', report });
      return waitForTheEnd();
    },
    freeze(report) {
      tell({ type: 'frozen', report });
      Atomics.wait(pids, pid - FIRST_PID, 1);
    },
  });
  process.argv.splice(1, Number.POSITIVE_INFINITY, program, ...args);
  process.env = { ...env };
  process.exitCode = undefined;
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    process[name].write = ((text: string | Uint8Array) => {
      said[name] += String(text);
      return true;
    }) as typeof process.stdout.write;
  }
  const { runProgram } = (await import(program)) as { runProgram(argv: readonly string[]): Promise<void> };
  const exitCode = await runProgram(process.argv).then(
    () => Number(process.exitCode ?? 0),
    (error: unknown) => {
      if (error instanceof Exit) return error.exitCode;
      said.stderr += `${error instanceof Error ? error.stack : error}\n`;
      return 1;
    },
  );
  tell({ type: 'ended', report: own.report(), exitCode, ...said });
}

if (isMainThread) liveAsProcess(JSON.parse(process.env.ROWMILL_PROVE_SEAM as string) as SeamPlan);
else {
  const port = parentPort as MessagePort;
  process.exit = (code) => {
    throw new Exit(Number(code ?? process.exitCode ?? 0));
  };
  port.on('message', (life: ThreadLife) => void liveAsThread(life, workerData as ThreadData, port));
}
