import { correctText } from './correct-text.ts';
import { findPositions, type Position } from './find-fields.ts';
import { findRow, type Row } from './find-row.ts';
import { type Reading, readText } from './reading.ts';
import { type Sentence, splitSentences } from './sentences.ts';

/** What is known about a row while its answer is written; each part is computed on first use. */
export interface Draft {
  readonly row: Row;
  readonly instructions: string;
  /** The text followed by its headers, in lower case, with one kind of apostrophe. */
  lower(): string;
  reading(): Reading;
  feeling(): 'positive' | 'negative' | 'neutral';
  /** 0 to 1. */
  urgency(): number;
  sentences(): readonly Sentence[];
  positions(): readonly Position[];
  correction(): ReturnType<typeof correctText>;
}

/** Below this a sentiment does not count. */
const LEAST_FEELING = 0.2;

export function createDraft(texts: readonly string[], labels: readonly string[]): Draft {
  const row = findRow(texts, labels);
  const lower = once(() => [row.text, ...row.headers.values()].join('\n').toLowerCase().replaceAll('’', "'"));
  const reading = once(() => readText(lower()));
  return {
    row,
    instructions: row.instructions,
    lower,
    reading,
    feeling() {
      const { sentiment } = reading();
      return sentiment > LEAST_FEELING ? 'positive' : sentiment < -LEAST_FEELING ? 'negative' : 'neutral';
    },
    urgency() {
      const { subjects, sentiment } = reading();
      return Math.min(
        1,
        0.1 + 0.45 * (subjects.get('urgent') ?? 0) + 0.2 * Math.min(1, subjects.get('defect') ?? 0) + (sentiment < -0.5 ? 0.1 : 0),
      );
    },
    sentences: once(() => splitSentences(row.text)),
    positions: once(() => findPositions(row.text)),
    correction: once(() => correctText(row.text)),
  };
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
