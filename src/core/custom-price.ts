/** Dollars per million tokens; null if a price list has no such rate. */
export interface DollarsPerMillion {
  readonly input: number;
  /** Input read from the prompt cache. */
  readonly cached: number | null;
  /** Input written to the prompt cache. */
  readonly write: number | null;
  readonly output: number;
}

/** A price defined by the user in `prices.yaml`: it takes precedence over every other. */
export interface CustomPrice {
  /** The model's name, case-insensitive; includes its dated snapshots. A `*` at the end matches any ending. */
  readonly model: string;
  /** First UTC day of validity (YYYY-MM-DD); null: always. */
  readonly effectiveFrom: string | null;
  /** First UTC day on which it is no longer valid; null: no end. */
  readonly effectiveTo: string | null;
  /** The model whose prices are used, in every tier; or the prices themselves. */
  readonly price: { readonly type: 'like'; readonly model: string } | ({ readonly type: 'list' } & CustomRates);
  /** The source given by the user in the row, and the file. */
  readonly source: string;
}

/** Requests with more input than `overTokens` cost their tier's rates times these factors, as a whole. */
export interface LongContextRule {
  readonly overTokens: number;
  readonly inputFactor: number;
  readonly outputFactor: number;
}

/** Prices of a model by tier. */
export interface CustomRates {
  readonly usd: DollarsPerMillion;
  /** Undefined: as in the tier table for a model of this name; null: not sold. */
  readonly tiers: Readonly<Partial<Record<'batch' | 'flex' | 'priority', DollarsPerMillion | null>>>;
  /** Undefined: as known for a model of this name; null: prompts of any length cost the same. */
  readonly longContext?: LongContextRule | null;
}
