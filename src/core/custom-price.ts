/** Dollars per million tokens; null where a price list has no such rate. */
export interface DollarsPerMillion {
  readonly input: number;
  /** Input read from the prompt cache. */
  readonly cached: number | null;
  /** Input written to the prompt cache. */
  readonly write: number | null;
  readonly output: number;
}

/** A price the user has put down in `prices.yaml`: it comes before every other. */
export interface CustomPrice {
  /** The model's name without regard to case; its dated snapshots are meant too. A `*` at the end stands for any ending. */
  readonly model: string;
  /** First UTC day of validity (YYYY-MM-DD); null: from the beginning. */
  readonly effectiveFrom: string | null;
  /** First UTC day on which it is no longer valid; null: until further notice. */
  readonly effectiveTo: string | null;
  /** The model whose prices count for this one, in every tier; or the prices themselves. */
  readonly price: { readonly type: 'like'; readonly model: string } | ({ readonly type: 'list' } & CustomRates);
  /** Where the user has it from: as the row says, with the file. */
  readonly source: string;
}

/** Requests of more input than `overTokens` cost their tier's rates times these factors, as a whole. */
export interface LongContextRule {
  readonly overTokens: number;
  readonly inputFactor: number;
  readonly outputFactor: number;
}

/** Prices of a model by tier. */
export interface CustomRates {
  readonly usd: DollarsPerMillion;
  /** Undefined: as the tier table has it for a model of this name; null: not sold. */
  readonly tiers: Readonly<Partial<Record<'batch' | 'flex' | 'priority', DollarsPerMillion | null>>>;
  /** Undefined: as known of a model of this name; null: prompts of any length cost the same. */
  readonly longContext?: LongContextRule | null;
}
