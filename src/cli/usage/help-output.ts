import { fstatSync, statSync, writeSync } from 'node:fs';
import { devNull } from 'node:os';
import type { OutputConfiguration } from 'commander';

const STDOUT = 1;

/**
 * Writes help and version; directly, unless to a terminal: `process.stdout` loads streams and sockets, which take as long as commander itself.
 * @param open called before `process.stdout` is used
 */
export function makeHelpOutput(open: () => void): OutputConfiguration {
  const write = (text: string | Uint8Array) => {
    open();
    process.stdout.write(text);
  };
  if (mayBeTerminal()) return { writeOut: write };
  return {
    getOutHelpWidth: () => undefined as unknown as number,
    getOutHasColors: () => false,
    writeOut(text) {
      let rest: Uint8Array = Buffer.from(text);
      try {
        while (rest.length > 0) rest = rest.subarray(writeSync(STDOUT, rest));
      } catch {
        // A pipe that is full or closed: the stream waits, or ends.
        write(rest);
      }
    },
  };
}

function mayBeTerminal(): boolean {
  try {
    const output = fstatSync(STDOUT);
    return output.isCharacterDevice() && output.rdev !== statSync(devNull).rdev;
  } catch {
    return true;
  }
}
