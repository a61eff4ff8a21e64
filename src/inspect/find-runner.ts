import { findHolder } from '../ledger/disk/find-holder.ts';
import type { ProcessIdentity } from '../ledger/disk/process-identity.ts';

/** The process that holds a state directory's lock. */
export interface Runner {
  readonly pid: number;
  readonly host: string;
}

/** Null if nobody holds it, if only a process seen to be dead does, or if its file is damaged. */
export function findRunner(stateDirectory: string, own: ProcessIdentity): Runner | null {
  try {
    const holder = findHolder(stateDirectory, own);
    return holder === null ? null : { pid: holder.pid, host: holder.host };
  } catch {
    return null;
  }
}
