import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { COMMAND } from './harness/measure.ts';

/** A simulator in a process of its own. */
export interface Provider {
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts it with an empty state in the folder. */
export async function startProvider(folder: string, flags: readonly string[] = []): Promise<Provider> {
  const child = spawn(process.execPath, [COMMAND, 'simulate', '--port', '0', '--state', join(folder, 'provider'), '--json', ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const stop = async () => {
    child.kill();
    await ended;
  };
  return { url: JSON.parse(line).url, stop };
}
