import type { Job } from '../../core/job.ts';
import type { OutcomeStatus } from '../../core/outcome.ts';
import { parseCustomId } from '../../core/request.ts';
import type { SettledRecord } from '../../core/settled.ts';
import type { Ledger, ResponseFile } from '../../ledger/ledger.ts';
import { chooseField, type Field, findComparedField } from '../open/answer-field.ts';
import { readReportFacts } from '../open/kept-report-facts.ts';
import { createStepOf } from '../open/next-step.ts';
import { createAnswerlessFailures, createIdSet } from './answerless-failures.ts';
import { type AnswerCount, createAnswerCount, isEmptyAnswer, type LabelCounts, WATCHED_VALUES } from './count-answers.ts';

/** What came back, and would come again from the same request. */
const ANSWERS: ReadonlySet<OutcomeStatus> = new Set(['ok', 'invalid', 'truncated', 'refused', 'filtered', 'bad_request']);

/** Watches the answers of the rows of a run, including those of earlier invocations. */
export interface StopRules extends Pick<AnswerCount, 'answers' | 'stop'> {
  /** What is wrong with the form of the first answers of the run, if none of them can be read; else null. */
  readonly unreadable: string | null;
  /** What every answer of the run says about address or key, if no row of the table has an answer; else null. */
  readonly addressRefusal: string | null;
  /** Adds what was recorded since the last call. */
  look(): void;
}

export interface StopRulesOptions {
  readonly job: Job;
  readonly run: string;
  readonly ledger: Ledger;
  /** Subscribes to every record from now on. */
  readonly onRecord: (listener: (record: SettledRecord, file: Pick<ResponseFile, 'isExtra'>) => void) => void;
  /** Labels made up by the built-in simulator are not worth a warning. */
  readonly isSimulator: boolean;
  readonly warn: (message: string) => void;
}

/** A row with a record, by the id of its key. */
interface Ended extends Pick<SettledRecord, 'outcome' | 'isUnreadable'> {
  readonly id: number;
}

/** Starts with what the run's earlier invocations recorded for rows whose request is unchanged. The table has just been read. */
export async function openStopRules({ job, run, ledger, onRecord, isSimulator, warn }: StopRulesOptions): Promise<StopRules> {
  const { keys, fold } = ledger;
  const field = isSimulator ? null : findField(job);
  const answerCount = createAnswerCount({
    rules: job.stopIf,
    pilot: job.pilot,
    previous: field === null ? null : readPrevious(ledger, run, field),
  });
  const watchesEmpty = job.stopIf.some(({ sign }) => sign === 'empty');
  const stepOf = createStepOf(ledger, job, 'working');
  const answerless = createAnswerlessFailures(ledger, run, stepOf);
  /** By earlier invocations, in whose report it stays. */
  const told = new Set(readReportFacts(ledger, run)?.warnings.messages);
  /** Rows that have been counted, by the id of their key. */
  const counted = createIdSet();
  const most = Math.max(WATCHED_VALUES, job.pilot ?? 0, ...job.stopIf.map(({ first }) => first ?? Number.POSITIVE_INFINITY));
  let unreadable: string | null = null;
  let refusedId: number | null = null;
  let wasAnswered = false;
  /** Of the records, only what is read of them: a file has tens of thousands. */
  const waiting: Ended[] = [];

  function gather(record: SettledRecord, isWanted: (id: number) => boolean): void {
    const parts = answerCount.answers < most ? parseCustomId(record.customId) : null;
    if (parts === null || parts.reask > 0 || record.run !== run || record.outcome === 'rate_limited') return;
    const id = keys.find(parts.key);
    if (id !== -1 && !counted.has(id) && isWanted(id)) waiting.push({ id, outcome: record.outcome, isUnreadable: record.isUnreadable });
  }

  function count({ id, outcome, isUnreadable }: Ended): void {
    if (!counted.add(id)) return;
    const isRead = outcome === 'ok' && (watchesEmpty || answerCount.answers < WATCHED_VALUES);
    const value = isRead ? ledger.readAnswer(id).outcome.value : undefined;
    const labels = isRead && field !== null ? field.read(value) : [];
    const answer = { outcome, isUnreadable, isEmpty: isRead && isEmptyAnswer(value), labels };
    for (const message of answerCount.take(answer)) if (!told.has(message)) warn(message);
    if (answerCount.isAddressRefused) refusedId = id;
    if (answerCount.isUnreadable) unreadable ??= ledger.readAnswer(id).outcome.message;
  }

  function countAnswerless(isWanted: (id: number) => boolean): void {
    if (answerCount.answers >= most) return;
    for (const { id, outcome } of answerless.readNew()) if (isWanted(id)) count({ id, outcome, isUnreadable: false });
  }

  /** Whether the row's first request ends with this record: answered, or failed for good by something that could have been retried. */
  function isEnd(id: number, outcome: OutcomeStatus): boolean {
    if (ANSWERS.has(outcome)) return true;
    return keys.outcome(id) === outcome && keys.reasks(id) === 0 && stepOf(id) === 'failed';
  }

  function look(): void {
    countAnswerless(() => true);
    if (waiting.length === 0) return;
    for (const ended of waiting.splice(0)) if (isEnd(ended.id, ended.outcome)) count(ended);
  }

  function hasAnswer(): boolean {
    for (let id = 0; id < keys.size && !wasAnswered; id += 1) wasAnswered = keys.outcome(id) === 'ok' && keys.isSeen(id, keys.lastPass);
    return wasAnswered;
  }

  const pass = keys.lastPass;
  // Rows refused in a shard end before its others are answered.
  countAnswerless((id) => keys.isSeen(id, pass));
  const files = new Map(ledger.files.map((file) => [file.name, file]));
  for await (const records of ledger.recordsOfRun(run)) {
    for (const record of records) {
      const file = files.get(record.location.file);
      const isCounted = file !== undefined && !file.isExtra && file.generation === fold.generation;
      if (isCounted) gather(record, (id) => keys.isSeen(id, pass) && !keys.isReopened(id));
    }
    look();
    if (answerCount.answers >= most) break;
  }
  onRecord((record, { isExtra }) => {
    if (!isExtra) gather(record, () => true);
  });
  return {
    look,
    get answers() {
      return answerCount.answers;
    },
    get stop() {
      return answerCount.stop;
    },
    get unreadable() {
      return unreadable;
    },
    get addressRefusal() {
      if (refusedId === null || !answerCount.isAddressRefused || hasAnswer()) return null;
      return ledger.readAnswer(refusedId).outcome.message;
    },
  };
}

/** The field with a closed set of labels; null without one. */
function findField(job: Job): Field | null {
  const name = findComparedField(job);
  const field = name === null ? null : chooseField(job, name);
  return field !== null && field.labels !== null && field.labels.length > 1 ? field : null;
}

function readPrevious(ledger: Ledger, run: string, { name }: Field): LabelCounts | null {
  const earlier = ledger.fold.runs.map(({ id }) => id).filter((id) => id !== run);
  for (const id of earlier.toReversed()) {
    const values = readReportFacts(ledger, id)?.fields.find(({ field }) => field === name)?.values;
    if (values !== undefined) return new Map(values.map(({ value, rows }) => [value, rows]));
  }
  return null;
}
