import { findStringEnd } from '../../core/exact/string-end.ts';
import { ENDPOINTS, type Endpoint } from '../../core/job.ts';
import type { RowRequest } from '../../core/row.ts';
import { suggest } from '../../core/wording/suggest.ts';

/** A parsed line of a table of requests. */
export interface RequestLine extends Omit<RowRequest, 'group'> {
  readonly customId: string;
  readonly tier: string | null;
  /** Null if it has none. */
  readonly capTokens: number | null;
  readonly images: number;
}

/** Why a line is not a request that can be sent, and where in its text. */
export interface LineFault {
  readonly position: number;
  readonly message: string;
}

const KEYS = ['custom_id', 'method', 'url', 'body'];

/**
 * Reads a line in the form of the Batch API (its reference, seen 2026-11-29): `custom_id`, `method`, `url` and `body`, whose text is kept
 * unchanged.
 * @param record the parsed text, valid JSON
 */
export function readRequestLine(text: string, record: Readonly<Record<string, unknown>>): RequestLine | LineFault {
  const members = findMembers(text);
  const fault = (key: string, message: string): LineFault => ({ position: members.get(key)?.start ?? 0, message });
  const unknown = Object.keys(record).find((key) => !KEYS.includes(key));
  if (unknown !== undefined)
    return fault(unknown, `a request has ${KEYS.join(', ')}, and no ${JSON.stringify(unknown)}${suggest(unknown, KEYS)}`);
  const { custom_id: customId, method, url, body } = record;
  if (typeof customId !== 'string' || customId === '') return fault('custom_id', 'custom_id: must be a text that is not empty');
  if (method !== 'POST') return fault('method', 'method: must be POST');
  if (!isEndpoint(url)) return fault('url', `url: must be one of ${ENDPOINTS.join(', ')}`);
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return fault('body', 'body: must be an object');
  const span = members.get('body') as Span;
  const asked = body as Readonly<Record<string, unknown>>;
  const refused = findRefused(asked, url);
  if (refused !== null) return fault('body', `body.${refused}`);
  const bodyText = text.slice(span.start, span.end);
  return {
    customId,
    url,
    model: asked.model as string,
    body: bodyText,
    tier: typeof asked.service_tier === 'string' ? asked.service_tier : null,
    capTokens: readCap(asked),
    images: countImages(bodyText),
  };
}

function isEndpoint(url: unknown): url is Endpoint {
  return ENDPOINTS.includes(url as Endpoint);
}

/** What a body must not ask for, because the result would not be one answer for the row. */
function findRefused({ model, stream, n, input, background }: Readonly<Record<string, unknown>>, url: Endpoint): string | null {
  if (typeof model !== 'string' || model === '') return 'model: must name the model';
  if (stream !== undefined && stream !== null && stream !== false) return 'stream: answers are not streamed; leave it out';
  if (n !== undefined && n !== null && n !== 1) return 'n: a row has one answer; leave it out, or use a job with votes';
  if (background === true) return 'background: the answer is waited for; leave it out';
  // A list of numbers is one text, in tokens.
  if (url === '/v1/embeddings' && Array.isArray(input) && input.length > 1 && typeof input[0] !== 'number')
    return 'input: a row has one answer; write a line for each text';
  return null;
}

/** The output cap of a body, under any name. */
function readCap(body: Readonly<Record<string, unknown>>): number | null {
  const caps = [body.max_completion_tokens, body.max_output_tokens, body.max_tokens].filter((cap) => typeof cap === 'number');
  return caps.length === 0 ? null : Math.max(...caps);
}

const IMAGE_PARTS = ['"image_url"', '"input_image"'];

/** At least as many as there are: a part of a chat names its image twice. */
function countImages(body: string): number {
  return IMAGE_PARTS.reduce((sum, part) => sum + body.split(part).length - 1, 0);
}

interface Span {
  readonly start: number;
  readonly end: number;
}

/** The positions of the values in the outermost object of a valid JSON text. */
function findMembers(text: string): ReadonlyMap<string, Span> {
  const members = new Map<string, Span>();
  let depth = 0;
  let key: string | null = null;
  let start = 0;
  for (let at = text.indexOf('{'); at < text.length; at += 1) {
    const character = text[at] as string;
    if (character === '"') {
      const end = findStringEnd(text, at);
      if (depth === 1 && key === null) key = JSON.parse(text.slice(at, end + 1)) as string;
      at = end;
    } else if (character === ':' && depth === 1) start = at + 1;
    else if (character === '{' || character === '[') depth += 1;
    else if (character === '}' || character === ']' || (character === ',' && depth === 1)) {
      if (depth === 1 && key !== null) {
        members.set(key, trimSpan(text, start, at));
        key = null;
      }
      if (character !== ',') depth -= 1;
    }
  }
  return members;
}

function trimSpan(text: string, start: number, end: number): Span {
  const value = text.slice(start, end);
  return { start: start + value.length - value.trimStart().length, end: end - value.length + value.trimEnd().length };
}
