import { hash } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import type { CustomPrice, DollarsPerMillion } from '../../core/custom-price.ts';
import { isDay } from '../../core/day.ts';
import { type Problem, UsageError } from '../../core/errors.ts';
import { type JobSource, type Path, showPath, sortByPlace } from '../../core/problem-path.ts';
import { showFile } from '../table/find-files.ts';
import { readYaml } from '../yaml/yaml-source.ts';
import { createSchemaCheck } from './check-job.ts';

/** The name of the file with custom prices. */
export const PRICES_FILE = 'prices.yaml';

const MAX_BYTES = 1024 * 1024;
const NO_PRICES: readonly CustomPrice[] = [];
const checkPrices = createSchemaCheck(makePricesSchema);

/**
 * Reads the `prices.yaml` of a folder; without one there are no custom prices.
 * @param cwd the folder the file name is shown relative to
 * @throws UsageError with all its problems, each with file, line and column
 */
export async function loadPrices(directory: string, cwd: string): Promise<readonly CustomPrice[]> {
  const file = path.join(directory, PRICES_FILE);
  const shown = showFile(file, cwd);
  const text = await readText(file, shown);
  if (text === null) return NO_PRICES;
  const { value, source, problems } = readYaml(text, shown);
  const found = problems.length > 0 ? problems : value === null ? [] : findProblems(value, source);
  if (found.length > 0) throw new UsageError(found, { code: 'prices' });
  const rows = (value as { readonly prices?: readonly PriceRow[] } | null)?.prices ?? [];
  return rows.map((row) => makeCustomPrice(row, row.source === undefined ? shown : `${row.source} (${shown})`));
}

/** Identifies the content of the custom prices. */
export function hashPrices(prices: readonly CustomPrice[]): string {
  return hash('sha256', JSON.stringify(prices));
}

async function readText(file: string, shown: string): Promise<string | null> {
  try {
    const { size } = await fs.stat(file);
    if (size > MAX_BYTES) throw new UsageError(`${shown}: larger than 1 MB; this is not a price list`, { code: 'prices' });
    return new TextDecoder('utf-8', { fatal: true }).decode(await fs.readFile(file));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${shown}: cannot be read (${(error as Error).message})`, { code: 'prices', cause: error });
  }
}

function findProblems(value: unknown, source: JobSource): readonly Problem[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return [{ place: source.placeOf([]), message: 'must be a map with the key prices' }];
  }
  const { prices } = value as { readonly prices?: unknown };
  const rows = Array.isArray(prices) ? (prices as readonly unknown[]) : [];
  const ruleProblems = rows.flatMap((row, index) => findRowProblems(row, ['prices', index], source));
  return sortByPlace([...checkPrices(value, source), ...ruleProblems]);
}

/** What a schema cannot express. Values of a wrong type are reported by the schema. */
function findRowProblems(value: unknown, at: Path, source: JobSource): readonly Problem[] {
  if (typeof value !== 'object' || value === null) return [];
  const row = value as Partial<PriceRow>;
  const problems: Problem[] = [];
  const tell = (key: string, message: string) => {
    const path = [...at, key];
    problems.push({ place: source.placeOf(path), message: `${showPath(path)}: ${message}` });
  };
  const rates = (['input', 'cached_input', 'cache_write', 'output', 'batch', 'flex', 'priority', 'long_context'] as const).filter(
    (key) => row[key] !== undefined,
  );
  if (row.like !== undefined) for (const key of rates) tell(key, 'cannot be combined with like; use one of them');
  else for (const key of ['input', 'output'] as const) if (row[key] === undefined) tell(key, 'missing (or name a model to price it like)');
  if (typeof row.model === 'string' && row.model.slice(0, -1).includes('*')) tell('model', 'a * is allowed only at its end');
  for (const [key, day] of Object.entries({ from: row.from, to: row.to })) {
    if (typeof day === 'string' && !isDay(day)) tell(key, `must be a day like 2026-11-22, not ${day}`);
  }
  if (typeof row.from === 'string' && typeof row.to === 'string' && row.to <= row.from) tell('to', 'must be later than the first day');
  return problems;
}

function makeCustomPrice(row: PriceRow, source: string): CustomPrice {
  const dated = { model: row.model, effectiveFrom: row.from ?? null, effectiveTo: row.to ?? null, source };
  if (row.like !== undefined) return { ...dated, price: { type: 'like', model: row.like } };
  const tiers = Object.fromEntries(
    (['batch', 'flex', 'priority'] as const).flatMap((tier) => {
      const rates = row[tier];
      return rates === undefined ? [] : [[tier, rates === 'none' ? null : makeUsd(rates)] as const];
    }),
  );
  const { long_context: long } = row;
  const rule = long === undefined || long === 'none' ? null : makeLongRule(long);
  return { ...dated, price: { type: 'list', usd: makeUsd(row as RatesRow), tiers, ...(long === undefined ? {} : { longContext: rule }) } };
}

function makeLongRule(long: Exclude<PriceRow['long_context'], 'none' | undefined>) {
  return { overTokens: long.over_tokens, inputFactor: long.input_factor ?? 2, outputFactor: long.output_factor ?? 1.5 };
}

function makeUsd({ input, cached_input, cache_write, output }: RatesRow): DollarsPerMillion {
  return { input, cached: cached_input ?? null, write: cache_write ?? null, output };
}

/** Dollars per million tokens, as written. */
interface RatesRow {
  readonly input: number;
  readonly cached_input?: number;
  readonly cache_write?: number;
  readonly output: number;
}

/** A row of `prices.yaml` as accepted by the schema. */
interface PriceRow extends Partial<RatesRow> {
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

/** Fractions of a millionth of a dollar per million tokens are not supported. */
const DOLLARS = { type: 'number', minimum: 0, maximum: 1_000_000 };

const RATES = { input: DOLLARS, cached_input: DOLLARS, cache_write: DOLLARS, output: DOLLARS };

function closed(properties: Readonly<Record<string, object>>, required: readonly string[] = []): object {
  return { type: 'object', additionalProperties: false, required, properties };
}

/** A map, or the word none. The map comes first, so that problems inside it are reported at their place. */
function orNone(properties: Readonly<Record<string, object>>, required: readonly string[]): object {
  return { ...closed(properties, required), type: ['object', 'string'], pattern: '^none$' };
}

/** The JSON Schema of `prices.yaml`. */
function makePricesSchema(): object {
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
