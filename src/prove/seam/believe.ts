import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { FIRST_PID } from './plan.ts';

// What a life is made to believe about the world besides its disk.

const RealDate = Date;
const { readlinkSync } = fs;
const kill = process.kill.bind(process);

/** Moves the wall clock; the monotonic clock continues. 0 resets it. */
export function skewClock(byMs: number): void {
  globalThis.Date =
    byMs === 0
      ? RealDate
      : (class extends RealDate {
          constructor(...args: []) {
            super(...((args.length === 0 ? [RealDate.now() + byMs] : args) as []));
          }
          static override now(): number {
            return RealDate.now() + byMs;
          }
        } as DateConstructor);
}

/** Reading the namespace of its pid returns a different one, as in a container; null: the real one. */
export function moveTo(place: string | null): void {
  fs.readlinkSync = ((file: string, ...rest: []) =>
    place !== null && file === '/proc/self/ns/pid' ? `pid:[${place}]` : readlinkSync(file, ...rest)) as typeof fs.readlinkSync;
  syncBuiltinESMExports();
}

/** Gives this thread its own pid, which lives and dies like that of a process. */
export function takePid(pid: number, pids: Int32Array): void {
  Object.defineProperty(process, 'pid', { value: pid, configurable: true });
  process.kill = (other: number, signal?: string | number) => {
    if (other < FIRST_PID) return kill(other, signal);
    if (Atomics.load(pids, other - FIRST_PID) === 0) throw Object.assign(new Error('kill ESRCH'), { code: 'ESRCH', syscall: 'kill' });
    return true;
  };
}
