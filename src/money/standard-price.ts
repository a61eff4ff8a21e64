import { calcPrice } from '@pydantic/genai-prices';
import { NOTES, OVERLAY } from './overlay.ts';
import type { DollarsPerMillion } from './rates.ts';

/** A model's price without any tier, as of a day. */
export interface StandardPrice {
  /** The name it was found under. */
  readonly pricedAs: string;
  readonly source: string;
  /** Something to know about the price; empty mostly. */
  readonly note: string;
  readonly usd: DollarsPerMillion;
  /** Once the input, cached part included, exceeds `overTokens`, the whole request costs these rates. */
  readonly longContext: { readonly overTokens: number; readonly usd: DollarsPerMillion } | null;
}

const RATE_BOOK = '@pydantic/genai-prices 0.1.8';

/** Names whose bill has more on it than text tokens (audio, images, searches), which the usage we keep does not show. */
const NOT_BY_TEXT_TOKENS = /audio|realtime|image|tts|transcribe|search|deep-research/i;

/**
 * The standard price of a model on a UTC day (`YYYY-MM-DD`): our overlay first, then the rate book.
 * @returns null when neither knows the model, or when its bill is not a matter of text tokens alone
 */
export function findStandardPrice(model: string, day: string): StandardPrice | null {
  if (NOT_BY_TEXT_TOKENS.test(model)) return null;
  return findInOverlay(model, day) ?? findInRateBook(model, day);
}

function findInOverlay(model: string, day: string): StandardPrice | null {
  const row = OVERLAY.find((row) => row.match.test(model) && (row.from === null || day >= row.from) && (row.to === null || day < row.to));
  if (row === undefined) return null;
  const { pricedAs, source, note, usd, longContextOverTokens } = row;
  const longContext = longContextOverTokens === null ? null : { overTokens: longContextOverTokens, usd: makeLongContext(usd) };
  return { pricedAs, source, note, usd, longContext };
}

/** Twice the input rates and one and a half times the output rate (openai-contract section 13, seen 2026-11-21). */
function makeLongContext(usd: DollarsPerMillion): DollarsPerMillion {
  return {
    input: usd.input * 2,
    cached: usd.cached === null ? null : usd.cached * 2,
    write: usd.write === null ? null : usd.write * 2,
    output: usd.output * 1.5,
  };
}

function findInRateBook(model: string, day: string): StandardPrice | null {
  const found = calcPrice({ input_tokens: 0, output_tokens: 0 }, model, { providerId: 'openai', timestamp: new Date(`${day}T00:00:00Z`) });
  if (found === null) return null;
  const pricedAs = found.model.id;
  const { input_mtok: input, cache_read_mtok: cached, cache_write_mtok: write } = found.model_price;
  const output = found.model_price.output_mtok ?? (pricedAs.startsWith('text-embedding-') ? 0 : undefined);
  if (input === undefined || output === undefined) return null;
  const note = NOTES.find((note) => note.pricedAs === pricedAs && day >= note.from)?.note ?? '';
  const at = (longContext: boolean): DollarsPerMillion => ({
    input: readRate(input, longContext),
    cached: cached === undefined ? null : readRate(cached, longContext),
    write: write === undefined ? null : readRate(write, longContext),
    output: readRate(output, longContext),
  });
  const overTokens = typeof input === 'number' ? undefined : input.tiers[0]?.start;
  return {
    pricedAs,
    source: RATE_BOOK,
    note,
    usd: at(false),
    longContext: overTokens === undefined ? null : { overTokens, usd: at(true) },
  };
}

type BookRate = number | { readonly base: number; readonly tiers: readonly { readonly start: number; readonly price: number }[] };

function readRate(rate: BookRate, longContext: boolean): number {
  if (typeof rate === 'number') return rate;
  return longContext ? (rate.tiers[0]?.price ?? rate.base) : rate.base;
}
