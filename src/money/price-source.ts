import { findProvider } from '@pydantic/genai-prices';

/** Whose prices apply at an address. */
export type PriceSource =
  /** OpenAI itself, in any region; also used for the simulator. */
  | { readonly type: 'openai' }
  /** A provider whose prices the rate book has under this id; OpenAI's own models that it lacks are priced as elsewhere. */
  | { readonly type: 'provider'; readonly id: string; readonly host: string }
  /** Any other: OpenAI's own models at OpenAI's list, with a note wherever amounts are shown. */
  | { readonly type: 'elsewhere'; readonly host: string };

export const OPENAI_PRICES: PriceSource = { type: 'openai' };

/** `api.openai.com` and its regions, such as `eu.api.openai.com` (OpenAI's guide to data controls, seen 2026-11-29). */
const OPENAI_HOST = /^(?:[a-z]{2}\.)?api\.openai\.com$/;

/** Further addresses of a provider, not in the rate book (its documents, seen 2026-11-29). */
const OTHER_HOSTS: ReadonlyMap<string, string> = new Map([['api.together.ai', 'together']]);

/** @param host of the base URL, with its port if it names one; null for the default API and the built-in simulator */
export function findPriceSource(host: string | null): PriceSource {
  if (host === null || isOpenAiHost(host)) return OPENAI_PRICES;
  const known = OTHER_HOSTS.get(host);
  if (known !== undefined) return { type: 'provider', id: known, host };
  const provider = findProvider({ providerApiUrl: `https://${host}/` });
  if (provider === undefined || !isWhole(host, provider.api_pattern)) return { type: 'elsewhere', host };
  return { type: 'provider', id: provider.id, host };
}

/** Whether an address is OpenAI's own. */
export function isOpenAiHost(host: string): boolean {
  return OPENAI_HOST.test(host);
}

/** The rate book's patterns are open-ended: `api.groq.com.example.org` is not Groq. */
function isWhole(host: string, pattern: string): boolean {
  const url = `https://${host}/`;
  const matched = new RegExp(`^(?:${pattern})`).exec(url)?.[0] ?? '';
  return matched.length >= url.length - 1;
}

/** The note next to amounts priced at OpenAI's list although another provider sets the price. */
export function describeForeignList(host: string): string {
  return `priced at OpenAI’s list; the address is ${host}`;
}
