import type { StopRule, StopSign } from '../../core/job.ts';
import type { OutcomeStatus } from '../../core/outcome.ts';
import { formatCount } from '../../core/wording/format-count.ts';

/** How one row's request ended: its first answer, or its final failure. Re-asks are not counted. */
export interface CountedAnswer {
  readonly outcome: OutcomeStatus;
  /** Whether its form is unknown. */
  readonly isUnreadable?: boolean;
  /** Whether it is ok and empty. */
  readonly isEmpty: boolean;
  /** Its labels; empty if the job has none, or it is not ok. */
  readonly labels: readonly string[];
}

/** Label counts of an earlier run. */
export type LabelCounts = ReadonlyMap<string, number>;

/** Counts rows in the order in which they were recorded, so that the result is the same however often the run was continued. */
export interface AnswerCount {
  /** @returns what is worth a warning now, in words */
  take(answer: CountedAnswer): readonly string[];
  /** Rows so far, answered or failed. */
  readonly answers: number;
  /** Why the run has to stop, in words; null while it may continue. */
  readonly stop: string | null;
  /** Whether the first answers of the run all had an unknown form: the others would too. */
  readonly isUnreadable: boolean;
  /** Whether every answer so far says that the address does not exist or is not allowed. */
  readonly isAddressRefused: boolean;
}

export interface AnswerCountOptions {
  readonly rules: readonly StopRule[];
  /** Judges the shares of all rules also by this many first answers; null does not. */
  readonly pilot: number | null;
  /** Null without an earlier run with labels. */
  readonly previous: LabelCounts | null;
}

/** This many first answers show whether a form is known. */
const UNREADABLE_FROM_ANSWERS = 20;
/** The model's answer, in whatever form. */
const SAID: ReadonlySet<OutcomeStatus> = new Set(['ok', 'invalid', 'truncated', 'refused', 'filtered']);
/** A share of fewer answers than this says little. */
const SHARE_FROM_ANSWERS = 100;
const WARN_AT_ANSWERS: ReadonlySet<number> = new Set([50, 100, 200, 500, 1000]);
/** After this many answers nothing about their content is new. */
export const WATCHED_VALUES = 1000;
const WARN_SHARES: readonly (readonly [StopSign, number])[] = [
  ['refused', 0.05],
  ['empty', 0.05],
];
const COLLAPSED_SHARE = 0.95;
/** Half the sum of the differences of all labels' shares: a quarter of the answers moved. */
const SHIFTED = 0.25;
/** A pilot without rules of its own fails if more than a fifth of it failed. */
const PILOT_RULE: StopRule = { sign: 'failed', over: { type: 'share', over: 0.2 }, first: null };

export function createAnswerCount({ rules, pilot, previous }: AnswerCountOptions): AnswerCount {
  const counts = new Map<StopSign, number>();
  const labels = new Map<string, number>();
  const warned = new Set<string>();
  const watched = rules.length === 0 && pilot !== null ? [PILOT_RULE] : rules;
  let answers = 0;
  const said = { all: 0, unreadable: 0, isStopping: false };
  let addressRefusals = 0;
  let stop: string | null = null;

  function findBroken({ sign, over, first }: StopRule): string | null {
    const count = counts.get(sign) ?? 0;
    const isOver = (limit: number) => count > limit;
    if (over.type === 'count') return isOver(over.over) ? `more than ${over.over} rows are ${sign}` : null;
    const percent = `${Number((over.over * 100).toFixed(2))} %`;
    if (answers === pilot && isOver(over.over * pilot))
      return `${formatCount(count)} of the ${formatCount(pilot)} rows of the pilot are ${sign}, more than ${percent}`;
    if (first !== null) {
      const isWithin = answers <= first;
      return isWithin && isOver(over.over * first)
        ? `${formatCount(count)} of the first ${formatCount(answers)} rows are ${sign}: more than ${percent} of ${first}`
        : null;
    }
    return answers >= SHARE_FROM_ANSWERS && isOver(over.over * answers)
      ? `${formatCount(count)} of ${formatCount(answers)} rows are ${sign}, more than ${percent}`
      : null;
  }

  function findWarnings(): readonly string[] {
    const found = new Map<string, string>();
    for (const [sign, share] of WARN_SHARES) {
      const count = counts.get(sign) ?? 0;
      if (count > share * answers) found.set(sign, `${formatCount(count)} of the first ${formatCount(answers)} answers are ${sign}`);
    }
    const collapse = describeCollapse(labels, previous);
    if (collapse !== null) found.set('collapse', collapse);
    const shift = describeShift(labels, previous);
    if (shift !== null) found.set('shift', shift);
    const fresh = [...found].filter(([kind]) => !warned.has(kind));
    for (const [kind] of fresh) warned.add(kind);
    return fresh.map(([, message]) => `${message}; if that is wrong, stop and change the prompt`);
  }

  return {
    take(answer) {
      answers += 1;
      if (SAID.has(answer.outcome)) said.all += 1;
      if (answer.isUnreadable === true && answer.outcome === 'bad_request') addressRefusals += 1;
      else if (answer.isUnreadable === true) said.unreadable += 1;
      said.isStopping ||= said.all === UNREADABLE_FROM_ANSWERS && said.unreadable === said.all;
      for (const sign of signsOf(answer)) counts.set(sign, (counts.get(sign) ?? 0) + 1);
      for (const label of answer.labels) labels.set(label, (labels.get(label) ?? 0) + 1);
      for (const rule of watched) stop ??= findBroken(rule);
      return WARN_AT_ANSWERS.has(answers) ? findWarnings() : [];
    },
    get answers() {
      return answers;
    },
    get stop() {
      return stop;
    },
    get isUnreadable() {
      return said.isStopping;
    },
    get isAddressRefused() {
      return answers > 0 && addressRefusals === answers;
    },
  };
}

function signsOf({ outcome, isEmpty }: CountedAnswer): readonly StopSign[] {
  if (outcome === 'ok') return isEmpty ? ['empty'] : [];
  return ['failed', outcome as StopSign];
}

/** One label for everything: a sign of a wrong prompt. If it was so before, it is not news. */
function describeCollapse(labels: LabelCounts, previous: LabelCounts | null): string | null {
  const total = sum(labels);
  const [label, count] = [...labels].toSorted(([, a], [, b]) => b - a)[0] ?? ['', 0];
  if (total === 0 || count < COLLAPSED_SHARE * total) return null;
  if (previous !== null && (previous.get(label) ?? 0) >= COLLAPSED_SHARE * sum(previous)) return null;
  return `${formatCount(count)} of the first ${formatCount(total)} labels are "${label}"`;
}

function describeShift(labels: LabelCounts, previous: LabelCounts | null): string | null {
  const total = sum(labels);
  if (previous === null || total < SHARE_FROM_ANSWERS || sum(previous) < SHARE_FROM_ANSWERS) return null;
  const names = [...new Set([...labels.keys(), ...previous.keys()])];
  const changes = names.map((name) => {
    const now = (labels.get(name) ?? 0) / total;
    const before = (previous.get(name) ?? 0) / sum(previous);
    return { name, now, before, size: Math.abs(now - before) };
  });
  const distance = changes.reduce((all, { size }) => all + size, 0) / 2;
  const [most] = changes.toSorted((a, b) => b.size - a.size);
  if (most === undefined || distance < SHIFTED) return null;
  const percent = (share: number) => `${Math.round(share * 100)} %`;
  return `the labels have shifted since the last run: "${most.name}" is ${percent(most.now)} of the first ${formatCount(total)}, it was ${percent(most.before)}`;
}

function sum(counts: LabelCounts): number {
  let total = 0;
  for (const count of counts.values()) total += count;
  return total;
}

/** Whether an answer is empty: blank text, or nothing in any of its fields. Zero and false are not empty. */
export function isEmptyAnswer(value: unknown): boolean {
  if (value === null || value === undefined) return true;
  if (typeof value === 'string') return value.trim() === '';
  return typeof value === 'object' && Object.values(value).every(isEmptyAnswer);
}
