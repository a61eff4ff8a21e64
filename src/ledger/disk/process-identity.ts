import fs from 'node:fs';
import { hostname } from 'node:os';

/** A process, distinguished from a later one with the same pid by its start time, and from one elsewhere by where its pid is valid. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly host: string;
  /** Clock ticks since boot, as counted by Linux; null if they cannot be read. */
  readonly startTime: string | null;
  /** The boot id of its kernel; absent if there is none (only Linux has it), and in early versions. */
  readonly bootId?: string;
  /** The namespace of its pid: two containers each have a process 1. Absent likewise. */
  readonly pidNamespace?: string;
}

/** What can be known here about a process: `unseen` is one whose pid means nothing here. */
export type Sight = 'alive' | 'dead' | 'unseen';

/** This process. */
export function readOwnIdentity(): ProcessIdentity {
  const state = readProcessState(process.pid);
  const bootId = readText(() => fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8'));
  const pidNamespace = readText(() => fs.readlinkSync('/proc/self/ns/pid'));
  return {
    pid: process.pid,
    host: hostname(),
    startTime: state.status === 'running' ? state.startTime : null,
    ...(bootId === null ? {} : { bootId }),
    ...(pidNamespace === null ? {} : { pidNamespace }),
  };
}

/**
 * Looks for a process from where `own` is. Its pid is meaningful only under the same kernel since the same boot, in the same pid namespace: a
 * host name does not prove that, because two containers, or a container and its host, may share one. Outside Linux, which has no such ids, the
 * host name has to do.
 */
export function seeProcess(identity: ProcessIdentity, own: ProcessIdentity): Sight {
  const isHere = identity.bootId === own.bootId && identity.pidNamespace === own.pidNamespace && isPlaceKnown(own, identity);
  if (!isHere) return 'unseen';
  const state = readProcessState(identity.pid);
  if (state.status === 'dead') return 'dead';
  return identity.startTime === null || state.startTime === null || identity.startTime === state.startTime ? 'alive' : 'dead';
}

function isPlaceKnown(own: ProcessIdentity, { host }: ProcessIdentity): boolean {
  if (own.bootId !== undefined && own.pidNamespace !== undefined) return true;
  return process.platform !== 'linux' && own.host === host;
}

type ProcessState = { readonly status: 'dead' } | { readonly status: 'running'; readonly startTime: string | null };

function readProcessState(pid: number): ProcessState {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it is alive, and belongs to another user.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return { status: 'dead' };
  }
  try {
    // The /proc of another pid namespace, for example a host's inside a container, describes a different process.
    if (fs.readlinkSync('/proc/self') !== String(process.pid)) return { status: 'running', startTime: null };
    // The second field is the command's name in brackets, which may contain anything; state and start time are fields 3 and 22 (proc(5)).
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return { status: 'dead' };
    return { status: 'running', startTime: fields[19] ?? null };
  } catch {
    return { status: 'running', startTime: null };
  }
}

function readText(read: () => string): string | null {
  try {
    return read().trim();
  } catch {
    return null;
  }
}
