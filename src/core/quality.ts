/** A 95 % confidence interval. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** Where the gold labels come from. */
export interface GoldSource {
  readonly type: 'column' | 'file';
  /** The column of the table, or the file as it was named. */
  readonly name: string;
  /** The column of the file that holds the gold labels; null for a column of the table. */
  readonly column: string | null;
  /** Rows of a file that are not in the table; 0 for a column. */
  readonly unmatched: number;
  /** Gold labels that are not labels of the field, by value; empty for an open field. */
  readonly unknownLabels: Readonly<Record<string, number>>;
}

/** One label on its own. A ratio without cases is null. */
export interface ClassScores {
  /** Rows with this gold label. */
  readonly support: number;
  /** Rows answered with this label. */
  readonly predicted: number;
  readonly correct: number;
  /** Rows with this gold label and no answer. */
  readonly unanswered: number;
  readonly precision: number | null;
  readonly recall: number | null;
  readonly f1: number;
  readonly intervals: { readonly precision: Interval | null; readonly recall: Interval | null; readonly f1: Interval };
}

/** How good a set of answers is compared with gold labels. A row that was sent and has no answer counts as wrong. */
export interface Scores {
  readonly rows: {
    /** Rows with a gold label that were sent and have been answered or given up. */
    readonly evaluated: number;
    readonly answered: number;
    readonly correct: number;
  };
  /** answered / evaluated. */
  readonly coverage: number;
  /** correct / evaluated. */
  readonly accuracy: number;
  /** correct / answered; null if no row has an answer. */
  readonly accuracyOfAnswered: number | null;
  /** The unweighted mean F1 of all labels that occur as gold label or answer. */
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
  /** Gold label -> answer -> rows, for the rows with an answer; empty for a list of labels, where one row has several. */
  readonly confusion: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** What `eval --json` prints. */
export interface Evaluation extends Omit<Scores, 'rows'> {
  readonly schema: 'rowmill.eval/1';
  readonly job: string;
  /** The named run; else the last one: the answers are those of the table after it. */
  readonly run: string | null;
  readonly simulated: boolean;
  readonly model: string;
  readonly field: string;
  readonly gold: GoldSource;
  readonly rows: Scores['rows'] & {
    readonly in: number;
    /** Rows without a gold label. */
    readonly withoutGold: number;
    /** Rows with a gold label that were not sent yet; they are not evaluated. */
    readonly pending: number;
    /** Rows that do not match `input.where` and are not sent; absent if all match. */
    readonly where?: number;
    /** Rows with a gold label that were never sent for another reason, such as an empty text; absent if there are none. Of a named run, those of `where` are among them. */
    readonly skipped?: number;
  };
  /** The first wrong rows, 20 at most, in the order of the table; `rows.evaluated - rows.correct` is their number. */
  readonly wrong: readonly WrongRow[];
  /** Where `--csv` wrote all of them; null if not requested. */
  readonly csv: string | null;
}

/** A row that was answered wrongly, or not at all. */
export interface WrongRow {
  /** From 1; null if it is no longer in the table. */
  readonly row: number | null;
  /** As named by `input.id`; null if it is no longer in the table. */
  readonly id: string | null;
  readonly gold: string;
  /** The answer, or why there is none; as `text`, of at most 200 characters. */
  readonly answer: string;
  /** The cells used in the prompt, as one line; empty if it is no longer in the table. */
  readonly text: string;
}

/** Tests whether two runs differ on the same rows: only rows on which they disagree count. */
export interface McNemar {
  /** What is counted: `correct` with gold labels, else `answered`. */
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

/** One of the two runs compared. Money in nano-dollars. */
export interface ComparedRun {
  readonly run: string;
  readonly model: string;
  /** Rows of the run. */
  readonly rows: number;
  /** Everything the run spent, including failed attempts and rows that are not compared. */
  readonly spentNanoUsd: number;
  /** Attempts of the run with unknown cost, not included in any sum; absent if there are none. */
  readonly spentUnpricedAttempts?: number;
  /** The cost of the answers of the compared rows, whenever they were given; each request once. */
  readonly answersNanoUsd: number;
  /** Answers of unknown price, not included in any sum. */
  readonly unpricedAnswers: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Compared with gold labels; null without them. */
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
  /** What differs in them. */
  readonly jobDifferences: readonly JobDifference[];
  readonly rows: Readonly<Record<RowChange, number>> & {
    /** Rows of both runs. */
    readonly compared: number;
    readonly onlyInA: number;
    readonly onlyInB: number;
    /** Compared rows that are no longer in the table. */
    readonly notInTable: number;
  };
  /** The share of equal answers among rows answered in both; null without such rows. */
  readonly agreement: number | null;
  readonly agreementInterval: Interval | null;
  /** Accuracy of B minus that of A on the same rows, with the interval of Agresti and Min; null without gold labels. */
  readonly accuracyDifference: ({ readonly value: number } & Interval) | null;
  readonly mcnemar: McNemar;
  /** B minus A. */
  readonly costDifferenceNanoUsd: number;
  /** Answer in A -> answer in B -> rows, of rows answered in both; null if there are too many (over 1,000 pairs). */
  readonly transitions: Readonly<Record<string, Readonly<Record<string, number>>>> | null;
  /** The first rows that differ. */
  readonly examples: readonly ChangedRow[];
  /** Where `--csv` wrote all of them; null if not requested. */
  readonly csv: string | null;
}

/** A key of the job file whose values differ, with the lines that only one run has; both are empty if lines only moved. */
export interface JobDifference {
  readonly key: string;
  readonly onlyInA: readonly string[];
  readonly onlyInB: readonly string[];
}

/** A row that differs between the runs. */
export interface ChangedRow {
  /** From 1; null if it is no longer in the table. */
  readonly row: number | null;
  /** As named by `input.id`; null if it is no longer in the table. */
  readonly id: string | null;
  readonly change: Exclude<RowChange, 'same' | 'unanswered'>;
  /** The answer, or why there is none. */
  readonly a: string;
  readonly b: string;
  readonly gold: string | null;
}
