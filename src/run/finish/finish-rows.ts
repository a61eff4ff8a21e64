import type { FinishedRow } from '../../core/finished-row.ts';
import type { Disposition, Row, Table } from '../../core/row.ts';
import type { CostOf } from '../../core/settled.ts';
import { addUsage, NO_USAGE, type Usage } from '../../core/usage.ts';
import type { CompiledJob } from '../../input/compile-job.ts';
import type { Ledger, TableAnswer } from '../../ledger/ledger.ts';
import { isOfRun, type KeyStep, type StepOf } from '../open/next-step.ts';
import { isInBatch } from '../open/opening.ts';
import { createRowKeys, type KeyedRow, type KeyRow } from '../open/row-keys.ts';
import type { SelectedRows } from '../open/selection.ts';

export interface FinishOptions {
  readonly table: Table;
  readonly compiled: CompiledJob;
  readonly ledger: Ledger;
  readonly stepOf: StepOf;
  readonly costOf: CostOf;
  readonly selected: SelectedRows;
  /** The run whose attempts are booked on its rows; rows answered earlier are reused. */
  readonly run: string;
  /** Called with what every selected row asks; absent if nobody needs it. */
  readonly watchRows?: (keyRow: KeyRow) => KeyRow;
  readonly signal: AbortSignal;
}

/** Answers are yielded in groups of about this many characters. */
const MAX_CHARACTERS = 1 << 22;

/** Joins every selected row, in order, with what the ledger has for its request: can be repeated at any time. */
export async function* finishRows(options: FinishOptions): AsyncGenerator<readonly FinishedRow[]> {
  const { table, compiled, selected } = options;
  const ownKeys = createRowKeys(options.ledger.keys, { compiled, addsKeys: false });
  const keyRow = options.watchRows?.(ownKeys) ?? ownKeys;
  for await (const rows of table.readRows(options.signal)) {
    let finished: FinishedRow[] = [];
    let characters = 0;
    for (const row of rows) {
      if (!selected.has(row.index)) continue;
      const keyed = keyRow(row);
      const one = keyed.status === 'skipped' ? withoutAnswer(row, keyed, null) : finishRow(options, row, keyed);
      finished.push(one);
      characters += one.answerCharacters ?? 0;
      if (characters < MAX_CHARACTERS) continue;
      yield finished;
      finished = [];
      characters = 0;
    }
    if (finished.length > 0) yield finished;
    if ((rows.at(-1)?.index ?? 0) >= selected.end) return;
  }
}

function finishRow(options: FinishOptions, row: Row, keyed: KeyedRow): FinishedRow {
  const { key } = keyed;
  if (keyed.id === -1) return { ...withoutAnswer(row, PENDING, key), isUnsent: true };
  const step = options.stepOf(keyed.id);
  const answer = options.ledger.readTableAnswer(keyed.id);
  const { outcome } = answer;
  const costs = keyed.isDuplicate ? NOTHING_SPENT : readCosts(options, keyed.id, answer);
  const isOk = step === 'done';
  // Field by field: a spread costs more here than everything else in this function.
  const finished: FinishedRow = {
    row,
    disposition: isOk ? OK[keyed.isDuplicate ? 'duplicate' : costs.isOfThisRun ? 'new' : 'reused'] : dispositionOf(step, outcome),
    answer: isOk ? outcome.value : undefined,
    answerCharacters: isOk ? answer.answerCharacters : undefined,
    isDuplicate: keyed.isDuplicate,
    attempts: costs.attempts,
    model: isOk ? outcome.model : null,
    usage: costs.usage,
    answerUsage: isOk && outcome.usage !== null ? outcome.usage : NO_USAGE,
    costNanoUsd: costs.costNanoUsd,
    requestId: answer.requestId,
    key,
  };
  if (finished.disposition === PENDING && !isInBatch(options.ledger, keyed.id)) return { ...finished, isUnsent: true };
  const { message, isUnmarked, written } = outcome;
  if (!isOk || (message === '' && !isUnmarked && written === undefined)) return finished;
  return {
    ...finished,
    ...(message === '' ? {} : { note: message }),
    ...(isUnmarked ? { isUnmarked } : {}),
    ...(written === undefined ? {} : { writtenAnswer: written }),
  };
}

const PENDING: Disposition = { status: 'pending' };
const OK: Readonly<Record<'new' | 'reused' | 'duplicate', Disposition>> = {
  new: { status: 'ok', source: 'new' },
  reused: { status: 'ok', source: 'reused' },
  duplicate: { status: 'ok', source: 'duplicate' },
};

function dispositionOf(step: KeyStep, { status, message }: TableAnswer['outcome']): Disposition {
  return step === 'failed' && status !== 'ok' ? { status: 'failed', cause: status, message } : PENDING;
}

function withoutAnswer(row: Row, disposition: Disposition, key: string | null): FinishedRow {
  return {
    row,
    disposition,
    answer: undefined,
    attempts: 0,
    model: null,
    usage: NO_USAGE,
    answerUsage: NO_USAGE,
    costNanoUsd: 0,
    requestId: null,
    key,
  };
}

interface RowCosts {
  readonly isOfThisRun: boolean;
  readonly attempts: number;
  readonly usage: Usage;
  readonly costNanoUsd: number | null;
}

const NOTHING_SPENT: RowCosts = { isOfThisRun: false, attempts: 0, usage: NO_USAGE, costNanoUsd: 0 };

/** What the row's attempts in this run used and cost, including failed ones. */
function readCosts(options: FinishOptions, id: number, answer: TableAnswer): RowCosts {
  const { keys } = options.ledger;
  if (keys.outcome(id) === null || !isOfRun(options.ledger, id, options.run)) return NOTHING_SPENT;
  const attempts = keys.attempts(id);
  const { outcome } = answer;
  if (!keys.hasHistory(id) && answer.lane !== null) {
    const { usage, isBilled, model, tier } = outcome;
    const createdSeconds = outcome.createdSeconds ?? answer.createdSeconds;
    const costNanoUsd = options.costOf({ usage, isBilled, model, tier, lane: answer.lane, createdSeconds });
    return { isOfThisRun: true, attempts, usage: usage ?? NO_USAGE, costNanoUsd };
  }
  let usage = NO_USAGE;
  let costNanoUsd: number | null = 0;
  for (const record of options.ledger.readHistory(id)) {
    const cost = options.costOf(record);
    usage = record.usage === null ? usage : addUsage(usage, record.usage);
    costNanoUsd = cost === null || costNanoUsd === null ? null : costNanoUsd + cost;
  }
  return { isOfThisRun: true, attempts, usage, costNanoUsd };
}
