import type { Life, LifeOptions } from './life.ts';
import { startProcess } from './processes.ts';
import { createThreads } from './threads.ts';

/** Starts the command. */
export interface Starter {
  /** @throws when it has been closed */
  live(how: 'thread' | 'process', options: LifeOptions): Life;
  /** Ends every life there is; nothing of them is left when it resolves. */
  close(): Promise<void>;
}

/** @param program the path of the command's main module */
export function createStarter(program: string): Starter {
  const threads = createThreads(program);
  const lives = new Set<Life>();
  let isClosed = false;
  return {
    live(how, options) {
      if (isClosed) throw new Error('nothing is started any more');
      const life = how === 'thread' ? threads.live(options) : startProcess(program, options);
      lives.add(life);
      const forget = () => lives.delete(life);
      life.ended.then(forget, forget);
      return life;
    },
    async close() {
      isClosed = true;
      const ended = [...lives].map((life) => {
        life.kill();
        return life.ended;
      });
      await Promise.allSettled(ended);
      await threads.close();
    },
  };
}
