import type { CompiledJob } from '../../input/compile-job.ts';
import type { ChosenExamples } from '../../input/request/read-examples.ts';
import type { InputTable } from '../../input/table/read-table.ts';
import type { FindPrice } from '../../money/price.ts';
import type { ModelTokens } from '../../money/tokens/model-tokens.ts';
import type { KnownEnd } from './model-end.ts';

/** A job that has passed every check that needs no provider, with its table open. */
export interface PreparedJob {
  readonly compiled: CompiledJob;
  readonly table: InputTable;
  /** Null when the job shows none. */
  readonly examples: ChosenExamples | null;
  /** Where this job's state for this target lies; it may not exist yet. */
  readonly stateDirectory: string;
  /** The outermost of its folders that did not exist before; null when it was all there. */
  readonly missingFolder: string | null;
  /** What is known of the prompt tokens of its requests. */
  readonly tokens: ModelTokens;
  /** Prices, with those of the user's own `prices.yaml` beside the job file before all others. */
  readonly findPrice: FindPrice;
  /** What has to stand beside money that was priced on that day (an ISO date or instant); null where the prices are those of the address. */
  readonly priceNoteAt: (at: string) => string | null;
  /** Of its models of which something is known, the soonest first. */
  readonly modelEnds: readonly KnownEnd[];
  /** Stands for what that file says. */
  readonly customPricesSha256: string;
  /** The same job with other parameters, as `retry --set` gives them. */
  readonly compileWith: (params: Readonly<Record<string, unknown>>) => CompiledJob;
}
