import type { FinishedRow } from '../../../core/finished-row.ts';
import type { Job } from '../../../core/job.ts';
import type { CauseFacts, FieldFacts, ModelShare, RowFigures, SampleFacts, SampleText } from '../facts.ts';
import { createFieldCounter, findClosedFields } from './closed-fields.ts';
import { createRandomPicker, createTopPicker } from './pick.ts';
import { createSpreadCounter } from './spread.ts';

/** How many rows of each kind a report shows; for failed rows, of each cause. */
const SHOWN = { ofCause: 10, dearest: 20, random: 60 } as const;
export const SHOWN_SLOWEST = 20;
const SEED = 1;
const COST_BARS = 30;

/** A row picked for the report, with its text. */
export interface PickedRow {
  readonly facts: SampleFacts;
  readonly text: SampleText;
}

/** What a report can compute from the rows alone. */
export interface CountedRows {
  readonly models: readonly ModelShare[];
  readonly figures: RowFigures | null;
  readonly fields: readonly FieldFacts[];
  /** The most frequent first. */
  readonly causes: readonly Omit<CauseFacts, 'retry'>[];
  /** No row twice; the failed ones first, in the order of the table. */
  readonly picked: readonly PickedRow[];
}

const HELD_CHARACTERS = 10_000;

/** Folds finished rows into a report's figures: in constant memory, and well under a microsecond per row. */
export interface RowCounter {
  add(row: FinishedRow): void;
  read(): CountedRows;
}

export interface RowCounterOptions {
  readonly job: Pick<Job, 'output' | 'labels'>;
  /** How long the slowest calls took, by key. */
  readonly slowestMs: ReadonlyMap<string, number>;
  /** Reads a row's text, cut to a bounded length. */
  readonly readText: (row: Pick<FinishedRow, 'row' | 'key'> & { readonly isOk: boolean }) => SampleText;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export function createRowCounter({ job, slowestMs, readText }: RowCounterOptions): RowCounter {
  const input = createSpreadCounter();
  const output = createSpreadCounter();
  const cost = createSpreadCounter();
  const models = new Map<string | null, Mutable<ModelShare>>();
  const fields = findClosedFields(job).map(createFieldCounter);
  const causes = new Map<string, Mutable<Omit<CauseFacts, 'retry'>>>();
  const failed: PickedRow[] = [];
  const dearest = createTopPicker<FinishedRow>(SHOWN.dearest, ({ costNanoUsd }) => costNanoUsd ?? 0);
  const slowest: FinishedRow[] = [];
  const random = createRandomPicker<FinishedRow>(SHOWN.random, SEED);

  function addAsked({ usage, costNanoUsd, model }: FinishedRow): void {
    input.add(usage.inputTokens);
    output.add(usage.outputTokens);
    if (costNanoUsd !== null) cost.add(costNanoUsd);
    let share = models.get(model);
    if (share === undefined) {
      share = { model, rows: 0, inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, nanoUsd: 0 };
      models.set(model, share);
    }
    share.rows += 1;
    share.inputTokens += usage.inputTokens;
    share.cachedInputTokens += usage.cachedInputTokens;
    share.outputTokens += usage.outputTokens;
    share.nanoUsd += costNanoUsd ?? 0;
    if (costNanoUsd === null) share.unpricedRows = (share.unpricedRows ?? 0) + 1;
  }

  function addOk(row: FinishedRow): void {
    for (const field of fields) field.add(row.answer, row.disposition.status === 'ok' && row.disposition.source === 'new');
    // Its answer is read again when it is shown.
    const held = (row.answerCharacters ?? 0) > HELD_CHARACTERS ? { ...row, answer: undefined } : row;
    random.add(held);
    if (row.attempts === 0) return;
    dearest.add(held);
    if (row.key !== null && slowestMs.has(row.key)) slowest.push(held);
  }

  /** @returns how many rows have this cause so far, including this one */
  function countCause(status: 'failed' | 'skipped', cause: string): number {
    const known = causes.get(cause) ?? { cause, status, rows: 0 };
    causes.set(cause, known);
    known.rows += 1;
    return known.rows;
  }

  function addFailed(row: FinishedRow, status: 'failed' | 'skipped', cause: string): void {
    // Read at once: a row that was too large to be sent is too large to be held.
    if (countCause(status, cause) <= SHOWN.ofCause)
      failed.push({ facts: makeFacts(row, 'failed'), text: readText({ row: row.row, key: row.key, isOk: false }) });
  }

  function makeFacts(finished: FinishedRow, why: SampleFacts['why']): SampleFacts {
    const { row, key, disposition, attempts, model, usage, costNanoUsd } = finished;
    return {
      row: row.index + 1,
      file: row.file,
      line: row.line,
      key,
      why,
      status: disposition.status,
      cause: 'cause' in disposition ? disposition.cause : null,
      source: disposition.status === 'ok' ? disposition.source : null,
      attempts,
      model,
      inputTokens: usage.inputTokens,
      outputTokens: usage.outputTokens,
      costNanoUsd,
      callMs: key === null || attempts === 0 ? null : (slowestMs.get(key) ?? null),
    };
  }

  function pick(): readonly PickedRow[] {
    const picked = new Map<number, PickedRow>();
    const addAll = (rows: readonly FinishedRow[], why: SampleFacts['why']) => {
      for (const row of rows) {
        if (!picked.has(row.row.index))
          picked.set(row.row.index, { facts: makeFacts(row, why), text: readText({ row: row.row, key: row.key, isOk: true }) });
      }
    };
    addAll(dearest.read(), 'dearest');
    addAll(
      slowest.toSorted((a, b) => (slowestMs.get(b.key ?? '') ?? 0) - (slowestMs.get(a.key ?? '') ?? 0)),
      'slowest',
    );
    addAll(
      random.read().toSorted((a, b) => a.row.index - b.row.index),
      'random',
    );
    return [...failed, ...picked.values()];
  }

  return {
    add(row) {
      const { disposition } = row;
      if (row.attempts > 0) addAsked(row);
      if (disposition.status === 'ok') addOk(row);
      // They are counted with the causes, and are not shown as examples.
      else if (disposition.status === 'skipped' && disposition.cause === 'where') countCause('skipped', disposition.cause);
      else if (disposition.status !== 'pending') addFailed(row, disposition.status, disposition.cause);
    },
    read() {
      const inputTokens = input.read();
      const outputTokens = output.read();
      const hasFigures = inputTokens !== null && outputTokens !== null;
      return {
        models: [...models.values()].toSorted((a, b) => b.nanoUsd - a.nanoUsd),
        figures: hasFigures ? { inputTokens, outputTokens, cost: cost.read(), costHistogram: cost.readHistogram(COST_BARS) } : null,
        fields: fields.map((field) => field.read()).filter(({ values }) => values.some(({ rows }) => rows > 0)),
        causes: [...causes.values()].toSorted((a, b) => b.rows - a.rows),
        picked: pick(),
      };
    },
  };
}
