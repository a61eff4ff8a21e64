import type { CompiledJob } from '../../input/compile-job.ts';
import type { ChosenExamples } from '../../input/request/read-examples.ts';
import type { InputTable } from '../../input/table/read-table.ts';
import type { FindPrice } from '../../money/price.ts';
import type { ModelTokens } from '../../money/tokens/model-tokens.ts';
import type { KnownEnd } from './model-end.ts';
import type { SharedTable } from './shared-table.ts';

/** A job that has passed every check that needs no provider, with its table open. */
export interface PreparedJob {
  readonly compiled: CompiledJob;
  readonly table: InputTable;
  /** Null if the job shows none. */
  readonly examples: ChosenExamples | null;
  /** The location of this job's state for this provider; it may not exist yet. */
  readonly stateDirectory: string;
  /** Another job's table that its run would replace, as of now; null if there is none, or the job is only read. */
  readonly sharedTable: SharedTable | null;
  /** The outermost of its folders that did not exist before; null if all existed. */
  readonly missingFolder: string | null;
  /** What is known about the prompt tokens of its requests. */
  readonly tokens: ModelTokens;
  /** Prices; those of the user's `prices.yaml` next to the job file take precedence. */
  readonly findPrice: FindPrice;
  /** The note to show with amounts priced on that day (an ISO date or instant); null if the prices are those of the address. */
  readonly priceNoteAt: (at: string) => string | null;
  /** Ends of its models, as far as known, the soonest first. */
  readonly modelEnds: readonly KnownEnd[];
  /** Identifies the content of that file. */
  readonly customPricesSha256: string;
  /** The same job with other parameters, from `retry --set`. */
  readonly compileWith: (params: Readonly<Record<string, unknown>>) => CompiledJob;
}
