/** A range that holds the true value with 95 % confidence. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** Where the right answers come from. */
export interface GoldSource {
  readonly type: 'column' | 'file';
  /** The column of the table, or the file as it was named. */
  readonly name: string;
  /** The column of the file that holds the right answers; null for a column of the table. */
  readonly column: string | null;
  /** Rows of a file that are no row of the table; 0 for a column. */
  readonly unmatched: number;
  /** Right answers that are none of the field's labels, by value; empty for an open field. */
  readonly unknownLabels: Readonly<Record<string, number>>;
}

/** One label, taken alone. A ratio without cases is null. */
export interface ClassScores {
  /** Rows whose right answer it is. */
  readonly support: number;
  /** Rows that were answered with it. */
  readonly predicted: number;
  readonly correct: number;
  /** Rows whose right answer it is and that have no answer. */
  readonly unanswered: number;
  readonly precision: number | null;
  readonly recall: number | null;
  readonly f1: number;
  readonly intervals: { readonly precision: Interval | null; readonly recall: Interval | null; readonly f1: Interval };
}

/** What a set of answers is worth against the right ones. A row without an answer counts as wrong. */
export interface Scores {
  readonly rows: {
    /** Rows with a right answer to compare with. */
    readonly evaluated: number;
    readonly answered: number;
    readonly correct: number;
  };
  /** answered / evaluated. */
  readonly coverage: number;
  /** correct / evaluated. */
  readonly accuracy: number;
  /** correct / answered; null when no row has an answer. */
  readonly accuracyOfAnswered: number | null;
  /** The mean F1 of all labels that are a right answer or were given as one, each counting the same. */
  readonly macroF1: number;
  readonly intervals: {
    readonly level: 0.95;
    /** Of coverage, accuracy, precision and recall. */
    readonly proportions: 'wilson';
    /** Of F1 and macro-F1. */
    readonly f1: { readonly method: 'poisson bootstrap, percentile'; readonly resamples: number; readonly seed: number };
    readonly coverage: Interval;
    readonly accuracy: Interval;
    readonly accuracyOfAnswered: Interval | null;
    readonly macroF1: Interval;
  };
  readonly perClass: Readonly<Record<string, ClassScores>>;
  /** Right answer -> given answer -> rows, of the rows with an answer; empty for a list of labels, where one row has several. */
  readonly confusion: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** What `eval --json` prints. */
export interface Evaluation extends Omit<Scores, 'rows'> {
  readonly schema: 'rowmill.eval/1';
  readonly job: string;
  /** The last run; the answers are those the table holds after it. */
  readonly run: string | null;
  readonly simulated: boolean;
  readonly model: string;
  readonly field: string;
  readonly gold: GoldSource;
  readonly rows: Scores['rows'] & {
    readonly in: number;
    /** Rows without a right answer to compare with. */
    readonly withoutGold: number;
    /** Rows with one that were not asked yet; they are not evaluated. */
    readonly pending: number;
    /** Rows that do not meet `input.where`, which are not asked about; absent where all do. */
    readonly where?: number;
  };
}

/** The test of whether two runs differ on the same rows: only rows on which they disagree tell. */
export interface McNemar {
  /** What is counted: `correct` with right answers to compare with, else `answered`. */
  readonly basis: 'correct' | 'answered';
  readonly onlyA: number;
  readonly onlyB: number;
  /** `exact`: two-sided binomial, below 25 rows; else chi-squared with one degree of freedom, corrected for continuity. */
  readonly method: 'exact' | 'chi-squared';
  /** Null for the exact test. */
  readonly statistic: number | null;
  readonly pValue: number;
}

/** How a row changed from run A to run B. */
export type RowChange = 'same' | 'changed' | 'answeredOnlyInA' | 'answeredOnlyInB' | 'unanswered';

/** One of the two runs that are compared. Money in nano-dollars. */
export interface ComparedRun {
  readonly run: string;
  readonly model: string;
  /** Rows of the run. */
  readonly rows: number;
  /** Everything the run spent, failed attempts and rows of its own included. */
  readonly spentNanoUsd: number;
  /** Attempts of the run whose cost is not known: they are in no sum; absent when there are none. */
  readonly spentUnpricedAttempts?: number;
  /** What the answers of the compared rows cost, whenever they were given; each request once. */
  readonly answersNanoUsd: number;
  /** Answers of unknown price; they are in no sum. */
  readonly unpricedAnswers: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Against the right answers; null without them. */
  readonly scores: Scores | null;
}

/** What `diff --json` prints. */
export interface RunComparison {
  readonly schema: 'rowmill.diff/1';
  readonly job: string;
  readonly simulated: boolean;
  /** The field that is compared; null for the whole answer. */
  readonly field: string | null;
  readonly gold: GoldSource | null;
  readonly a: ComparedRun;
  readonly b: ComparedRun;
  /** Keys of the job file whose values differ. */
  readonly jobChanges: readonly string[];
  readonly rows: Readonly<Record<RowChange, number>> & {
    /** Rows of both runs. */
    readonly compared: number;
    readonly onlyInA: number;
    readonly onlyInB: number;
    /** Of the compared ones, those that are not in the table any more. */
    readonly notInTable: number;
  };
  /** The share of equal answers among rows answered in both; null without such rows. */
  readonly agreement: number | null;
  readonly agreementInterval: Interval | null;
  /** Accuracy of B minus that of A on the same rows, with the interval of Agresti and Min; null without right answers. */
  readonly accuracyDifference: ({ readonly value: number } & Interval) | null;
  readonly mcnemar: McNemar;
  /** B minus A. */
  readonly costDifferenceNanoUsd: number;
  /** Answer in A -> answer in B -> rows, of rows answered in both; null when they are too many to tell (over 1,000 pairs). */
  readonly transitions: Readonly<Record<string, Readonly<Record<string, number>>>> | null;
  /** The first rows that are not the same. */
  readonly examples: readonly ChangedRow[];
  /** Where `--csv` wrote all of them; null when not asked for. */
  readonly csv: string | null;
}

/** A row that is not the same in both runs. */
export interface ChangedRow {
  /** From 1; null when it is not in the table any more. */
  readonly row: number | null;
  /** As `input.id` names it; null when it is not in the table any more. */
  readonly id: string | null;
  readonly change: Exclude<RowChange, 'same'>;
  /** The answer, or why there is none. */
  readonly a: string;
  readonly b: string;
  readonly gold: string | null;
}
