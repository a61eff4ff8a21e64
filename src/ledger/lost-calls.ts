import type { LedgerFold } from './events/fold.ts';
import type { LedgerState } from './ledger-state.ts';
import type { EventOf } from './response-file.ts';

/** The end of live calls whose process ended before it kept their answers: they may have been billed. Null if there are none. */
export function endLostCalls({ openCalls }: Pick<LedgerFold, 'openCalls'>): EventOf<'call-unknown'> | null {
  const calls = [...openCalls].flatMap(([customId, { calls: times, bodyBytes }]) => Array(times).fill({ customId, bodyBytes }));
  if (calls.length === 0) return null;
  return { type: 'call-unknown', calls, why: 'the process ended before the answer was kept', isInterruption: true };
}

/** Shows a reader of a directory that nobody works on what the next run will find: the same end, before it is recorded. */
export function foreseeLostCalls(state: LedgerState): void {
  const event = endLostCalls(state.fold);
  const { seq, activeAt } = state.fold;
  if (event !== null) state.takeEvent({ event: { ...event, seq, at: activeAt }, offsetBytes: 0, lengthBytes: 0 });
}
