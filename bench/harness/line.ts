/** The resources used by one process, or several. */
export interface Measured {
  readonly wallSeconds: number;
  /** User and system time as the kernel counted it, of all threads; null where it is not measured, as for peakRssMib. */
  readonly cpuSeconds: number | null;
  readonly peakRssMib: number | null;
  /** Anything else that a part reports. */
  readonly facts: Readonly<Record<string, number>>;
}

/** A figure besides time and memory, or derived from them: `0.33 ms` more CPU per row. */
export interface Figure {
  readonly value: number;
  /** What stands behind the number: `ms more cpu a row`. */
  readonly of: string;
  /** What it may be; null where nothing is promised. */
  readonly most: number | null;
  /** What it must be. */
  readonly least?: number;
}

/** One line of docs/benchmarks.md. */
export interface BenchLine {
  /** Identifies the line within its bench permanently: earlier figures are found by it. */
  readonly what: string;
  /** Null for a line with figures only. */
  readonly measured: Measured | null;
  /** Lines of the same run that it is compared with, by CPU and wall time, of which CPU may be limited. */
  readonly against?: readonly { readonly line: BenchLine; readonly mostCpu?: number }[];
  /** Peak memory it may take. */
  readonly mostRssMib?: number;
  readonly figures?: readonly Figure[];
  readonly facts?: string;
}

/** A part of `npm run bench` that is run by itself, in ten minutes or less: `--only NAME` is the name of its file in bench/lines. */
export interface Bench {
  /** Its position on the page: smaller numbers come first. */
  readonly order: number;
  readonly heading: string;
  /** What is measured and how, in a sentence or two, for the page. */
  readonly introduction: string;
  /** How many rows the page's figures are of, and how many CI's; null: CI leaves it out. */
  readonly rows: { readonly full: number; readonly small: number | null };
  /** Figures, by what stands behind them, with a column of their own on the page instead of those of time and memory. */
  readonly columns?: readonly string[];
  /** Work done in a separate process, so that its time and memory are its own; each imports what it needs when it is called. */
  readonly parts?: Readonly<Record<string, (folder: string, rows: number) => Promise<Readonly<Record<string, number>>>>>;
  measure(stage: Stage): Promise<readonly BenchLine[]>;
}

/** What a bench works with. */
export interface Stage {
  readonly rows: number;
  /** A separate folder for this passage; it is removed afterwards. */
  readonly folder: string;
  /** Runs one of the bench's parts. */
  runPart(name: string): Measured;
}
