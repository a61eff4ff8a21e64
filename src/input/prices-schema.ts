/** Dollars per million tokens, as written. */
export interface RatesRow {
  readonly input: number;
  readonly cached_input?: number;
  readonly cache_write?: number;
  readonly output: number;
}

/** A row of `prices.yaml` once the schema has accepted it. */
export interface PriceRow extends Partial<RatesRow> {
  readonly model: string;
  readonly like?: string;
  readonly from?: string;
  readonly to?: string;
  readonly batch?: RatesRow | 'none';
  readonly flex?: RatesRow | 'none';
  readonly priority?: RatesRow | 'none';
  readonly long_context?: { readonly over_tokens: number; readonly input_factor?: number; readonly output_factor?: number } | 'none';
  readonly source?: string;
}

const NAME = { type: 'string', minLength: 1 };
const FACTOR = { type: 'number', minimum: 0, maximum: 1000 };
/** Finer prices than a millionth of a dollar per million tokens are not counted. */
const DOLLARS = { type: 'number', minimum: 0, maximum: 1_000_000 };
const RATES = { input: DOLLARS, cached_input: DOLLARS, cache_write: DOLLARS, output: DOLLARS };

function closed(properties: Readonly<Record<string, object>>, required: readonly string[] = []): object {
  return { type: 'object', additionalProperties: false, required, properties };
}

/** A map, or the word none. The first of both types, so that problems inside the map are told where they stand. */
function orNone(properties: Readonly<Record<string, object>>, required: readonly string[]): object {
  return { ...closed(properties, required), type: ['object', 'string'], pattern: '^none$' };
}

/** The JSON Schema of `prices.yaml`. */
export function makePricesSchema(): object {
  const tier = orNone(RATES, ['input', 'output']);
  const row = {
    model: NAME,
    like: NAME,
    from: NAME,
    to: NAME,
    ...RATES,
    batch: tier,
    flex: tier,
    priority: tier,
    long_context: orNone({ over_tokens: { type: 'integer', minimum: 1 }, input_factor: FACTOR, output_factor: FACTOR }, ['over_tokens']),
    source: { type: 'string' },
  };
  return closed({ prices: { type: 'array', items: closed(row, ['model']) } }, ['prices']);
}
