import { join } from 'node:path';
import { readHolder } from '../ledger/disk/lock-file.ts';
import { type ProcessIdentity, seeProcess } from '../ledger/disk/process-identity.ts';

/** The process that holds a state directory's lock. */
export interface Runner {
  readonly pid: number;
  readonly host: string;
}

/** The holder of the lock according to its file; null if nobody holds it, or only a process seen to be dead. */
export function findRunner(stateDirectory: string, own: ProcessIdentity): Runner | null {
  try {
    const holder = readHolder(join(stateDirectory, 'lock'))?.holder;
    if (holder === undefined || holder.pid === 0) return null;
    const { pid, host } = holder;
    return seeProcess(holder, own) === 'dead' ? null : { pid, host };
  } catch {
    return null;
  }
}
