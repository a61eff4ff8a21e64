import fs from 'node:fs';
import { hostname } from 'node:os';

/** A process, told apart from a later one with the same pid by when it started. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly host: string;
  /** Clock ticks since boot as Linux counts them; null where that cannot be read. */
  readonly startTime: string | null;
}

/** This process. */
export function readOwnIdentity(): ProcessIdentity {
  const state = readProcessState(process.pid);
  return { pid: process.pid, host: hostname(), startTime: state.status === 'running' ? state.startTime : null };
}

/** Whether a process of this host is still the one it was: dead, or another one under its pid, is not. */
export function isSameProcessAlive(identity: Pick<ProcessIdentity, 'pid' | 'startTime'>): boolean {
  const state = readProcessState(identity.pid);
  if (state.status === 'dead') return false;
  return identity.startTime === null || state.startTime === null || identity.startTime === state.startTime;
}

type ProcessState = { readonly status: 'dead' } | { readonly status: 'running'; readonly startTime: string | null };

function readProcessState(pid: number): ProcessState {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it lives, as another user's.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return { status: 'dead' };
  }
  try {
    // The second field is the command's name in brackets, which may hold anything; state and start time are fields 3 and 22 (proc(5)).
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return { status: 'dead' };
    return { status: 'running', startTime: fields[19] ?? null };
  } catch {
    return { status: 'running', startTime: null };
  }
}
