/**
 * How a request is delivered: what its body carries on the wire besides its content. It decides the place and price of the work, never what is
 * asked, so it is not part of a key: earlier answers stay valid, and the lane may change without sending anything again.
 */
export interface Delivery {
  /** The service tier of `mode: flex`; null requests none. */
  readonly serviceTier: 'flex' | null;
  /** What may be written to the prompt cache; null leaves it to the provider. */
  readonly cache: CacheDelivery | null;
}

export interface CacheDelivery {
  /** The position in the body, inside the text of a message, where the prefix worth caching ends; null: nothing is written or read. */
  readonly end: number | null;
  /** Requests with the same prefix and key find it in the cache; null without one. */
  readonly key: string | null;
}

/** The fields above as on the wire, before the model: content begins with the model, so everything before it is delivery. */
const HEAD = /^\{(?:"service_tier":"flex",)?(?:"prompt_cache_options":\{"mode":"explicit"\},)?(?:"prompt_cache_key":"[\w-]{1,64}",)?/;
const CACHE_IN_HEAD = /"prompt_cache_options":\{"mode":"explicit"\},(?:"prompt_cache_key":"[\w-]{1,64}",)?/;
const OPTIONS = '"prompt_cache_options":{"mode":"explicit"},';
const CONTENT = '"content":';
/** Ends the marked part of a text; its quotes cannot occur in a JSON string, where they would be escaped. */
const MARK = '","prompt_cache_breakpoint":{"mode":"explicit"}}';

/** The body as sent. Cache settings already in it are the job's own and are left alone. */
export function addDelivery({ url, body }: { readonly url: string; readonly body: string }, delivery: Delivery): string {
  const cache = body.includes('"prompt_cache_') ? null : delivery.cache;
  const head = `${delivery.serviceTier === null ? '' : `"service_tier":"${delivery.serviceTier}",`}${cache === null ? '' : OPTIONS}`;
  const key = cache === null || cache.key === null ? '' : `"prompt_cache_key":"${cache.key}",`;
  const marked = cache === null || cache.end === null ? body : markEnd(body, cache.end, nameTextPart(url));
  return head === '' ? body : `{${head}${key}${marked.slice(1)}`;
}

/** The content of a body: exactly the bytes before addDelivery. A body without delivery is returned unchanged. */
export function removeDelivery(body: string): string {
  const head = HEAD.exec(body)?.[0] ?? '{';
  if (head === '{') return body;
  const content = `{${body.slice(head.length)}`;
  return head.includes(OPTIONS) ? removeMark(content) : content;
}

/** The same request, with the cache left to the provider. */
export function removeCacheDelivery(body: string): string {
  const head = HEAD.exec(body)?.[0] ?? '{';
  if (!head.includes(OPTIONS)) return body;
  return head.replace(CACHE_IN_HEAD, '') + removeMark(`{${body.slice(head.length)}`).slice(1);
}

/** Whether a body requests the tier of `mode: flex`. */
export function asksForFlex(body: string): boolean {
  return body.startsWith('{"service_tier":"flex",');
}

/** Whether a refusal is about the prompt cache settings, not about the content. */
export function isCacheRefusal(error: { readonly message: string; readonly param?: unknown }): boolean {
  return /prompt_cache_(options|breakpoint|key)/.test(`${typeof error.param === 'string' ? error.param : ''} ${error.message}`);
}

/** The type of a text part of a message (Chat and Responses API references, seen 2026-11-29). */
function nameTextPart(url: string): string {
  return url === '/v1/responses' ? 'input_text' : 'text';
}

/** The text of a message becomes a list of one part that ends at the mark, or of two. Any other place is left unmarked. */
function markEnd(body: string, end: number, part: string): string {
  const start = body.lastIndexOf(CONTENT, end) + CONTENT.length;
  const stop = findQuote(body, end);
  if (start < CONTENT.length || body[start] !== '"' || start >= end || findQuote(body, start + 1) !== stop || stop === -1) return body;
  if (isWithinCharacter(body, end)) return body;
  const rest = end === stop ? '' : `,{"type":"${part}","text":"${body.slice(end, stop)}"}`;
  return `${body.slice(0, start)}[{"type":"${part}","text":${body.slice(start, end)}${MARK}${rest}]${body.slice(stop + 1)}`;
}

/** A cut escape sequence, including an odd backslash. */
const CUT_ESCAPE = /(?<!\\)(?:\\\\)*\\(?:u[0-9a-f]{0,3})?$/i;

/** Whether a text cannot be cut there: within an escape sequence, or between the halves of a surrogate pair. */
export function isWithinCharacter(text: string, at: number): boolean {
  const before = text.charCodeAt(at - 1);
  if (before >= 0xd800 && before < 0xdc00) return true;
  // Only an odd run of backslashes escapes; a run longer than this is counted from its end.
  return CUT_ESCAPE.test(text.slice(Math.max(0, at - 64), at)) || /\\ud[89ab][0-9a-f]{2}$/i.test(text.slice(Math.max(0, at - 6), at));
}

function removeMark(content: string): string {
  const end = content.indexOf(MARK);
  const opening = /\[\{"type":"(input_text|text)","text":"(?=(?:[^"\\]|\\.)*$)/s.exec(content.slice(0, Math.max(0, end)));
  if (end === -1 || opening === null) return content;
  const before = content.slice(0, opening.index);
  const text = content.slice(opening.index + opening[0].length, end);
  const next = end + MARK.length;
  if (content[next] === ']') return `${before}"${text}"${content.slice(next + 1)}`;
  const second = `,{"type":"${opening[1]}","text":"`;
  const stop = findQuote(content, next + second.length);
  if (!content.startsWith(second, next) || stop === -1 || !content.startsWith('"}]', stop)) return content;
  return `${before}"${text}${content.slice(next + second.length, stop)}"${content.slice(stop + 3)}`;
}

/** The next quote that ends a string; -1 if there is none. */
function findQuote(text: string, from: number): number {
  for (let at = from; at < text.length; at += 1) {
    const character = text.charCodeAt(at);
    if (character === BACKSLASH) at += 1;
    else if (character === QUOTE) return at;
  }
  return -1;
}

const QUOTE = 34;
const BACKSLASH = 92;
