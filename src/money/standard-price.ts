import type { DollarsPerMillion } from '../core/custom-price.ts';
import { NOTES, PRICE_OVERRIDES, pricesAsOf } from './price-overrides.ts';
import { describeForeignList, OPENAI_PRICES, type PriceSource } from './price-source.ts';
import { findInRateBook } from './rate-book.ts';
import { scaleDollars } from './rates.ts';

/** A model's standard price on a day, without a tier. */
export interface StandardPrice {
  /** The name it was found under. */
  readonly pricedAs: string;
  readonly source: string;
  /** First UTC day of this price; null: from the beginning, as far as known. */
  readonly effectiveFrom: string | null;
  /** A note on the price; usually empty. */
  readonly note: string;
  readonly usd: DollarsPerMillion;
  /** If the input, including the cached part, exceeds `overTokens`, the whole request costs these rates. */
  readonly longContext: { readonly overTokens: number; readonly usd: DollarsPerMillion } | null;
  /** The provider in the rate book whose own price this is; null: OpenAI's. */
  readonly provider: string | null;
}

const RATE_BOOK = '@pydantic/genai-prices 0.1.8';

/** Models billed for more than text tokens (audio, images, searches), which the stored usage does not show. */
const NOT_BY_TEXT_TOKENS = /audio|realtime|image|tts|transcribe|search|deep-research/i;

/** Models with open weights: their hosts set the price, and OpenAI sells none. */
const OPEN_WEIGHTS = /gpt-oss/i;

/**
 * The standard price of a model on a UTC day (`YYYY-MM-DD`) at an address: its provider's price if the rate book has it; else OpenAI's,
 * our overrides first, then the rate book, with a note if it is not OpenAI's address.
 * @returns null if neither has the model, or if it is billed for more than text tokens
 */
export function findStandardPrice(model: string, day: string, from: PriceSource = OPENAI_PRICES): StandardPrice | null {
  if (NOT_BY_TEXT_TOKENS.test(model)) return null;
  const own = from.type === 'provider' ? findBookPrice(model, day, from.id) : null;
  if (own !== null) return own;
  const listed = OPEN_WEIGHTS.test(model) ? null : (findOverride(model, day) ?? findBookPrice(model, day, 'openai'));
  if (listed === null || from.type === 'openai') return listed;
  return { ...listed, note: [describeForeignList(from.host), listed.note].filter((note) => note !== '').join('; ') };
}

function findOverride(model: string, day: string): StandardPrice | null {
  const row = PRICE_OVERRIDES.find((row) => row.match.test(model) && isInForce(row, day));
  if (row === undefined) return null;
  const { pricedAs, source, effectiveFrom, note, usd, longContextOverTokens } = row;
  const longContext = longContextOverTokens === null ? null : { overTokens: longContextOverTokens, usd: makeLongContext(usd, 2, 1.5) };
  return { pricedAs, source, effectiveFrom, note, usd, longContext, provider: null };
}

/** Whether a dated row is valid on a day. */
export function isInForce(row: { readonly effectiveFrom: string | null; readonly effectiveTo: string | null }, day: string): boolean {
  return (row.effectiveFrom === null || day >= row.effectiveFrom) && (row.effectiveTo === null || day < row.effectiveTo);
}

/** The rates of long prompts: OpenAI's are twice the input rates and one and a half times the output rate (pricing page, seen 2026-11-21). */
export function makeLongContext(usd: DollarsPerMillion, inputFactor: number, outputFactor: number): DollarsPerMillion {
  return scaleDollars(usd, { input: inputFactor, cached: inputFactor, write: inputFactor, output: outputFactor });
}

function findBookPrice(model: string, day: string, providerId: string): StandardPrice | null {
  const found = findInRateBook(model, day, providerId);
  if (found === null) return null;
  const pricedAs = found.model.id;
  const { input_mtok: input, cache_read_mtok: cached, cache_write_mtok: write } = found.prices;
  const output = found.prices.output_mtok ?? (/embed/.test(pricedAs) ? 0 : undefined);
  if (input === undefined || output === undefined) return null;
  const isOpenAi = providerId === 'openai';
  const note = isOpenAi ? (NOTES.find((note) => note.pricedAs === pricedAs && day >= note.effectiveFrom)?.note ?? '') : '';
  const at = (longContext: boolean): DollarsPerMillion => ({
    input: readRate(input, longContext),
    cached: cached === undefined ? null : readRate(cached, longContext),
    write: write === undefined ? null : readRate(write, longContext),
    output: readRate(output, longContext),
  });
  const overTokens = typeof input === 'number' ? undefined : input.tiers[0]?.start;
  return {
    pricedAs,
    source: isOpenAi ? RATE_BOOK : `${RATE_BOOK}, ${found.providerName}`,
    effectiveFrom: findStartDay(found.model.prices, day),
    note,
    usd: at(false),
    longContext: overTokens === undefined ? null : { overTokens, usd: at(true) },
    provider: isOpenAi ? null : providerId,
  };
}

/** The days on which a model's price changed or will change, oldest first. */
export function findChangeDays(model: string): readonly string[] {
  const overridden = PRICE_OVERRIDES.filter((row) => row.match.test(model)).flatMap(({ effectiveFrom, effectiveTo }) => [
    effectiveFrom,
    effectiveTo,
  ]);
  const prices = findInRateBook(model, pricesAsOf, 'openai')?.model.prices;
  return [...overridden, ...readStartDays(prices)].filter((day) => day !== null).toSorted();
}

/** The first day of the row valid on a day; null for a model whose price never changed. */
function findStartDay(prices: unknown, day: string): string | null {
  return (
    readStartDays(prices)
      .filter((start) => start <= day)
      .toSorted()
      .at(-1) ?? null
  );
}

function readStartDays(prices: unknown): readonly string[] {
  if (!Array.isArray(prices)) return [];
  const rows = prices as readonly { readonly constraint?: { readonly start_date?: string } }[];
  return rows.flatMap(({ constraint }) => constraint?.start_date ?? []);
}

type BookRate = number | { readonly base: number; readonly tiers: readonly { readonly start: number; readonly price: number }[] };

function readRate(rate: BookRate, longContext: boolean): number {
  if (typeof rate === 'number') return rate;
  return longContext ? (rate.tiers[0]?.price ?? rate.base) : rate.base;
}
