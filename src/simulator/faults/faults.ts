import type { AnswerFaultRequest } from '../answers/answer-faults.ts';
import { openAppendLog } from '../append-log.ts';
import { hashDigits, hashFraction } from '../hash.ts';
import type { FaultCount } from './fault-count.ts';
import type { BatchAction, Fault, FaultMatch, RequestAction, RowAction } from './fault-plan.ts';

/** What a fault may match on; undefined if it does not apply. */
export interface FaultSubject {
  readonly method?: string;
  readonly path?: string;
  readonly customId?: string | undefined;
  readonly row?: number;
  readonly batch?: number | undefined;
  readonly status?: string | undefined;
  readonly model?: string | undefined;
  readonly lane?: 'batch' | 'live';
  readonly file?: string | undefined;
}

/** Decides what goes wrong, by plan and seed, and counts it. The counts survive a restart with the same plan. */
export interface FaultEngine {
  requestFaults(subject: FaultSubject): readonly { readonly name: string; readonly action: RequestAction }[];
  batchFaults(subject: FaultSubject): readonly BatchAction[];
  rowFault(subject: FaultSubject): RowAction | undefined;
  answerFault(subject: FaultSubject): AnswerFaultRequest | undefined;
  hasRowFaults: boolean;
  /** Records what the rows of a batch changed, once that batch will not be computed again. */
  keepRowCounts(): void;
  fired(): readonly FaultCount[];
  close(): void;
}

interface Counts {
  fired: number;
  matched: number;
  /** The arrivals of each custom_id that the share hits on its first attempt. */
  readonly attempts: Map<string, number>;
}

interface Draw {
  readonly isHit: boolean;
  /** The custom_id whose attempt counts towards a share. */
  readonly counted?: string | undefined;
}

const NOT_HIT: Draw = { isHit: false };

interface KeptChange {
  readonly index: number;
  readonly fired: number;
  readonly matched: number;
  readonly customId?: string | undefined;
}

/** Changes of counts that are not written yet; those without a custom_id are summed, so that a large batch does not pile them up. */
interface Changes {
  readonly named: KeptChange[];
  readonly sums: Map<number, KeptChange>;
}

/** Opens the engine of a plan. Its counts are kept in the directory, in a file named after the plan. */
export function openFaultEngine(
  plan: readonly Fault[],
  { seed, directory }: { readonly seed: number; readonly directory: string },
): FaultEngine {
  const counts = plan.map((): Counts => ({ fired: 0, matched: 0, attempts: new Map() }));
  const log =
    plan.length === 0 ? undefined : openAppendLog(`${directory}/faults-${hashDigits(JSON.stringify(plan), seed).slice(0, 12)}.jsonl`);
  for (const line of log?.lines() ?? []) for (const change of JSON.parse(line) as KeptChange[]) apply(change);
  const rowChanges = createChanges();

  function apply({ index, fired, matched, customId }: KeptChange): void {
    const count = counts[index] as Counts;
    count.fired += fired;
    count.matched += matched;
    if (customId !== undefined) count.attempts.set(customId, (count.attempts.get(customId) ?? 0) + 1);
  }

  /**
   * Which of these faults fire now; all that match are counted, except that one that `excludes` those before it leaves them out. The counts change
   * at once; the changes go where the caller wants them.
   */
  function fire<T extends Fault>(
    faults: readonly T[],
    subject: FaultSubject,
    changes: Changes,
    excludes: (fault: T) => boolean,
  ): readonly T[] {
    const fired: T[] = [];
    for (const fault of faults) {
      if (!matches(fault.match, subject)) continue;
      const count = counts[fault.index] as Counts;
      const isFree = count.fired < fault.times && !(excludes(fault) && fired.some(excludes));
      const drawn = isFree ? draw(fault, count, subject) : NOT_HIT;
      const change = { index: fault.index, fired: drawn.isHit ? 1 : 0, matched: 1, customId: drawn.counted };
      apply(change);
      const isOrdered = fault.match.nth !== undefined || fault.match.every !== undefined;
      if (drawn.isHit || isOrdered || drawn.counted !== undefined) note(change, changes);
      if (drawn.isHit) fired.push(fault);
    }
    return fired;
  }

  function draw({ match, index }: Fault, count: Counts, { customId, batch }: FaultSubject): Draw {
    const ordinal = count.matched + 1;
    if (match.nth !== undefined && ordinal !== match.nth) return NOT_HIT;
    if (match.every !== undefined && ordinal % match.every !== 0) return NOT_HIT;
    if (match.share === undefined) return { isHit: true };
    const value = hashFraction(seed, index, customId ?? batch ?? ordinal);
    if (value >= match.share) return NOT_HIT;
    if (match.attempts === 'all' || customId === undefined) return { isHit: true };
    const attempt = count.attempts.get(customId) ?? 0;
    // The first k attempts fail where value < share^k: the same odds as a draw per attempt, without remembering the rows never hit.
    const isHit = match.attempts === 'first' ? attempt === 0 : value < match.share ** (attempt + 1);
    return { isHit, counted: customId };
  }

  function keep({ named, sums }: Changes): void {
    const changes = [...sums.values(), ...named];
    if (changes.length > 0) log?.append([JSON.stringify(changes)]);
    named.length = 0;
    sums.clear();
  }

  const requestFaults = plan.filter((fault) => fault.scope === 'request');
  const batchFaults = plan.filter((fault) => fault.scope === 'batch');
  const rowFaults = plan.filter((fault) => fault.scope === 'row');
  const answerFaults = plan.filter((fault) => fault.scope === 'answer');

  return {
    hasRowFaults: rowFaults.length + answerFaults.length > 0,
    requestFaults(subject) {
      const changes = createChanges();
      // Delays add up; of other faults one is enough.
      const fired = fire(requestFaults, subject, changes, ({ action }) => action.type !== 'delay');
      keep(changes);
      return fired.map(({ name, action }) => ({ name, action }));
    },
    batchFaults(subject) {
      const changes = createChanges();
      const fired = fire(batchFaults, subject, changes, () => false);
      keep(changes);
      return fired.map(({ action }) => action);
    },
    rowFault: (subject) => fire(rowFaults, subject, rowChanges, () => true)[0]?.action,
    answerFault(subject) {
      const changes = subject.lane === 'live' ? createChanges() : rowChanges;
      const fired = fire(answerFaults, subject, changes, () => true)[0];
      if (subject.lane === 'live') keep(changes);
      return fired?.action.answer;
    },
    keepRowCounts: () => keep(rowChanges),
    fired: () => plan.map(({ name, index }) => ({ name, index, fired: (counts[index] as Counts).fired })),
    close: () => log?.close(),
  };
}

function createChanges(): Changes {
  return { named: [], sums: new Map() };
}

function note(change: KeptChange, { named, sums }: Changes): void {
  const sum = sums.get(change.index);
  if (change.customId !== undefined) named.push(change);
  else
    sums.set(change.index, { index: change.index, fired: (sum?.fired ?? 0) + change.fired, matched: (sum?.matched ?? 0) + change.matched });
}

function matches(match: FaultMatch, subject: FaultSubject): boolean {
  return (
    (match.method === undefined || match.method.toUpperCase() === subject.method) &&
    (match.path === undefined || matchesPattern(match.path, subject.path)) &&
    (match.custom_id === undefined || matchesPattern(match.custom_id, subject.customId)) &&
    (match.row === undefined || match.row === subject.row) &&
    (match.batch === undefined || match.batch === subject.batch) &&
    (match.status === undefined || match.status === subject.status) &&
    (match.model === undefined || match.model === subject.model) &&
    (match.lane === undefined || match.lane === subject.lane) &&
    (match.file === undefined || match.file === subject.file)
  );
}

/** `*` matches anything, as often as it occurs; the pieces in between have to follow each other. */
function matchesPattern(pattern: string, text: string | undefined): boolean {
  if (text === undefined) return false;
  const [first = '', ...rest] = pattern.split('*');
  if (rest.length === 0) return text === pattern;
  const last = rest.pop() ?? '';
  let from = first.length;
  for (const piece of rest) {
    const found = text.indexOf(piece, from);
    if (found < 0) return false;
    from = found + piece.length;
  }
  return text.startsWith(first) && text.endsWith(last) && text.length - last.length >= from;
}
