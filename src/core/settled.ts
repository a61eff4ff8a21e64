import type { OutcomeStatus } from './outcome.ts';
import type { Usage } from './usage.ts';

export type LaneName = 'batch' | 'live';

/** The location of a response line in the state directory. */
export interface LineLocation {
  /** File name below `responses/`. */
  readonly file: string;
  readonly offsetBytes: number;
  /** Length without the newline. */
  readonly lengthBytes: number;
}

/** The small record kept per response line: everything but the answer, which follows it if it is short. */
export interface SettledRecord {
  readonly customId: string;
  readonly outcome: OutcomeStatus;
  readonly isBilled: boolean;
  /** As of an outcome. */
  readonly isUnreadable: boolean;
  readonly usage: Usage | null;
  /** The model that answered, as reported; null if nothing answered. */
  readonly model: string | null;
  readonly tier: string | null;
  /** Unix seconds that decide the day of the price: those of the answer, else of the batch. */
  readonly createdSeconds: number | null;
  readonly lane: LaneName;
  /** The run the attempt belongs to. */
  readonly run: string;
  readonly location: LineLocation;
}

/** The cost of one attempt: integer nano-dollars, or null if the price or the usage is unknown. */
export type CostOf = (record: Pick<SettledRecord, 'usage' | 'isBilled' | 'model' | 'tier' | 'createdSeconds' | 'lane'>) => number | null;
