import type { OutcomeStatus } from './outcome.ts';
import type { Usage } from './usage.ts';

export type LaneName = 'batch' | 'live';

/** Where a response line lies in the state directory. */
export interface LineLocation {
  /** Name below `responses/`. */
  readonly file: string;
  readonly offsetBytes: number;
  /** Length without the newline. */
  readonly lengthBytes: number;
}

/** The small record kept per response line: everything but the answer, which stands beside it where it is short. */
export interface SettledRecord {
  readonly customId: string;
  readonly outcome: OutcomeStatus;
  readonly isBilled: boolean;
  /** As of an outcome. */
  readonly isUnreadable: boolean;
  readonly usage: Usage | null;
  /** The model that answered, as reported; null when nothing answered. */
  readonly model: string | null;
  readonly tier: string | null;
  /** Unix seconds that pick the price of the day: the answer's own, else the batch's. */
  readonly createdSeconds: number | null;
  readonly lane: LaneName;
  /** The run the attempt belongs to. */
  readonly run: string;
  readonly location: LineLocation;
}

/** What one attempt cost: integer nano-dollars, or null when the price or the usage is unknown. */
export type CostOf = (record: Pick<SettledRecord, 'usage' | 'isBilled' | 'model' | 'tier' | 'createdSeconds' | 'lane'>) => number | null;
