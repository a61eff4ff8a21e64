import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { type Life, type LifeEnd, type LifeOptions, NO_REPORT, STUCK_MS } from './life.ts';
import { FIRST_PID, type ThreadData, type ThreadLife, type ThreadMessage } from './seam/plan.ts';

/** Threads that have loaded the command: a run in one of them takes a fifth of the time of a process. A crash costs the thread. */
export interface Threads {
  live(options: LifeOptions): Life;
  close(): Promise<void>;
}

const SEAM = new URL('./seam/seam.js', import.meta.url);
/** Pids are reused after this many lives. */
const PIDS = 1 << 12;
/** The memory left behind by this many runs is not worth a new thread yet. */
const LIVES_PER_THREAD = 50;

interface Thread {
  readonly worker: Worker;
  lives: number;
}

/** @param main the path of the command's main module; the module with `runProgram` is next to it */
export function createThreads(main: string): Threads {
  const program = pathToFileURL(main.replace(/main(?=\.c?js$)/, 'program')).href;
  const pids = new Int32Array(new SharedArrayBuffer(4 * PIDS));
  const idle: Thread[] = [];
  let lives = 0;

  function take(): Thread {
    const data: ThreadData = { program, pids };
    const thread = idle.pop() ?? { worker: new Worker(SEAM, { workerData: data, execArgv: [] }), lives: 0 };
    thread.lives += 1;
    return thread;
  }

  function giveBack(thread: Thread): void {
    if (thread.lives < LIVES_PER_THREAD) idle.push(thread);
    else void thread.worker.terminate();
  }

  function live({ plan, args, env }: LifeOptions): Life {
    const thread = take();
    const { worker } = thread;
    const slot = lives % PIDS;
    lives += 1;
    Atomics.store(pids, slot, 1);
    let last: LifeEnd = { exitCode: null, stdout: '', stderr: '', report: NO_REPORT, isStuck: false };
    let tellFrozen: (is: boolean) => void = () => undefined;
    const frozen = new Promise<boolean>((resolve) => {
      tellFrozen = resolve;
    });
    const ended = new Promise<LifeEnd>((resolve) => {
      const finish = () => {
        clearTimeout(tooLong);
        // Not all of them: some are the Worker's own.
        for (const name of ['exit', 'error', 'message']) worker.removeAllListeners(name);
        Atomics.store(pids, slot, 0);
        tellFrozen(false);
        resolve(last);
      };
      // Its disk operations in flight have ended once it has exited.
      worker.on('exit', finish);
      worker.on('error', (error) => {
        last = { ...last, exitCode: 1, stderr: `${error instanceof Error ? error.stack : error}` };
      });
      worker.on('message', (message: ThreadMessage) => {
        last = { ...last, ...message };
        if (message.type === 'frozen') tellFrozen(true);
        if (message.type === 'crashed') void worker.terminate();
        if (message.type !== 'ended') return;
        giveBack(thread);
        finish();
      });
      const tooLong = setTimeout(() => {
        last = { ...last, isStuck: true };
        void worker.terminate();
      }, STUCK_MS);
    });
    worker.postMessage({ plan, args, env, pid: FIRST_PID + slot } satisfies ThreadLife);
    return {
      ended,
      frozen,
      wake() {
        Atomics.store(pids, slot, 2);
        Atomics.notify(pids, slot);
      },
      kill: () => void worker.terminate(),
    };
  }

  return {
    live,
    async close() {
      await Promise.all(idle.splice(0).map(({ worker }) => worker.terminate()));
    },
  };
}
