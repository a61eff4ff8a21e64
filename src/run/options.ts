import type { RowSelection } from '../core/row.ts';
import type { RedisLink } from '../live/redis/connection.ts';
import type { CommandChange } from '../output/verdict.ts';
import type { Effects } from './open/effects.ts';
import type { AskedAgain } from './open/opening.ts';
import type { PrepareOptions } from './open/prepare.ts';
import type { PreparedJob } from './open/prepared-job.ts';
import type { Target } from './open/target.ts';
import type { Plan } from './plan/plan-result.ts';
import type { Spending } from './plan/spending.ts';
import type { DeadlineOptions } from './send/deadline.ts';
import type { RunView } from './send/run-view.ts';

/** All options of a run. */
export interface RunOptions extends PrepareOptions, AskedAgain {
  readonly target: Target;
  readonly selection: RowSelection;
  readonly effects: Effects;
  /** What to do while another run of the job is active; absent: fail. */
  readonly ifRunning?: 'fail' | 'wait';
  /** Whether to work with a state directory that is a copy of another one; absent: no. */
  readonly adoptCopy?: (question: string) => Promise<boolean>;
  /** Fires when no further work is wanted. */
  readonly stopping: AbortSignal;
  /** When batches have to be replaced by live calls; null lets them take their time. */
  readonly deadline: DeadlineOptions | null;
  /** Overrides the job's budget, in nano-dollars; null for the job's. */
  readonly maxNanoUsd: number | null;
  /** How long to wait for batches; 0 only submits, null waits to the end. */
  readonly waitMs: number | null;
  readonly looksMs: readonly number[];
  readonly pollMaxMs: number;
  /** Where the live lane's workers take their calls from; null makes the calls in this process. */
  readonly redis: RedisLink | null;
  /** The notice when calls are made in this process although a file found by chance names a Redis. */
  readonly redisNotice?: string | null;
  /** A day (YYYY-MM-DD) whose prices count; null for the day of each answer. */
  readonly priceAsOf: string | null;
  /** Called with the job and its state directory once the lock is taken, before anything is sent; absent if not needed. */
  readonly onPrepared?: (prepared: PreparedJob) => void;
  /** Called once everything that can be checked in advance has passed, just before the first row is sent; absent if not needed. */
  readonly beforeSending?: () => Promise<void>;
  /** Called with what the run would do before it spends anything. @throws UsageError if it should not */
  readonly confirm: (plan: Plan, spending: Spending) => Promise<void>;
  /** Receives a live view once work starts. */
  readonly watch: (view: RunView) => void;
  readonly warn: (message: string) => void;
  readonly commands: NextCommands;
}

/** The next command as a person would type it, with the flags of this invocation. */
export interface NextCommands {
  readonly continue: string;
  /** The same with other flags; absent if nobody types commands. */
  readonly continueWith?: (change: CommandChange) => string;
  /** What repeats a run that was refused before it achieved anything, if that leaves no job file; absent if `continueWith` does. */
  readonly again?: (change: CommandChange) => string;
  /** The same about all rows, where this is a pilot; absent where nobody types commands. */
  readonly whole?: string;
  readonly failures: string;
  /** To be followed by `--cause`; absent if nobody types commands. */
  readonly retry?: string;
  /** Samples rows for labelling by hand; absent if nobody types commands. */
  readonly sample?: string;
}
