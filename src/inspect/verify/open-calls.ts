import { formatThings } from '../../core/wording/format-count.ts';
import { findHolder } from '../../ledger/disk/find-holder.ts';
import { type ProcessIdentity, seeProcess } from '../../ledger/disk/process-identity.ts';
import type { LedgerFold } from '../../ledger/events/fold.ts';

/** The live calls without an end, and whose they are: nobody can say yet whether they were billed. Null if there are none. */
export function describeOpenCalls(
  directory: string,
  { openCalls, queuedCalls }: Pick<LedgerFold, 'openCalls' | 'queuedCalls'>,
  own: ProcessIdentity,
): string | null {
  const [made, queued] = [openCalls, queuedCalls].map((open) => [...open.values()].reduce((sum, { calls }) => sum + calls, 0));
  const parts = [
    ...(made ? [`${countOpen(made)} for ${describeOwner(directory, own)}`] : []),
    ...(queued ? [`${countOpen(queued)} for workers`] : []),
  ];
  return parts.length === 0 ? null : parts.join('; ');
}

function countOpen(calls: number): string {
  return `${formatThings(calls, 'call')} ${calls === 1 ? 'is' : 'are'} open`;
}

function describeOwner(directory: string, own: ProcessIdentity): string {
  const holder = findHolder(directory, own);
  if (holder === null) return 'a process that ended while this was read: look again';
  const name = `process ${holder.pid} on ${holder.host}`;
  return seeProcess(holder, own) === 'alive'
    ? `the run in progress (${name})`
    : `${name}, which cannot be seen from here: if it has ended, the next run finds out`;
}
