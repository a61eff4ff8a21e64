import { createHash, hash } from 'node:crypto';
import { removeDelivery } from './delivery.ts';
import type { SkipCause } from './row.ts';

/** The call made for a row. */
export interface Request {
  /** 22 characters of base64url(sha256(url + "\n" + body)), with `-o<k>` for the k-th equal row if rows are not collapsed. */
  readonly key: string;
  /** The wire id: the key, or `<key>-r<n>` for a re-ask. */
  readonly customId: string;
  readonly url: string;
  /** The exact body JSON: the bytes that are hashed, and sent with the delivery added (core/delivery). */
  readonly body: string;
  /** The model in the body, if requests of one job name several; absent: the job's. */
  readonly model?: string;
}

/** A rendered row, or the reason why it cannot be rendered. */
export type Rendered =
  | { readonly status: 'request'; readonly request: Request }
  | { readonly status: 'skipped'; readonly cause: SkipCause; readonly message: string };

const DATA_URL_IN_BODY = /"data:[^"\\]*;base64,([^"\\]*)"/g;

/** The key of a request: its content without delivery, with image data replaced by its hash. */
export function makeKey(url: string, body: string): string {
  const text = removeDelivery(body);
  const content = text.includes('"data:') ? hideImageData(text) : text;
  const isLong = url.length + content.length >= SCRATCH_CHARACTERS;
  return hash('sha256', isLong ? `${url}\n${content}` : encode(url, content), 'base64url').slice(0, 22);
}

/** Hashing a string copies it first; encoding into existing memory halves the time of a key. */
const SCRATCH_CHARACTERS = 65_536;
const NEWLINE = 10;
const scratch = Buffer.allocUnsafeSlow(SCRATCH_CHARACTERS * 3);

function encode(url: string, content: string): Buffer {
  const start = scratch.write(url);
  scratch[start] = NEWLINE;
  return scratch.subarray(0, start + 1 + scratch.write(content, start + 1));
}

/** Every base64 `data:` URL that is a whole JSON string becomes `sha256:<hex of its bytes>`. */
export function hideImageData(body: string): string {
  return body.replace(DATA_URL_IN_BODY, (_whole, data: string) => {
    const digest = createHash('sha256').update(Buffer.from(data, 'base64')).digest('hex');
    return `"sha256:${digest}"`;
  });
}

/** The three parts of a wire id; keys may contain dashes, so the first 22 characters are cut by position. */
export interface CustomIdParts {
  /** The key, with its `-o<k>` if it has one. */
  readonly key: string;
  /** 0 for the first request, n for `-r<n>`. */
  readonly reask: number;
}

const SUFFIXES = /^(-o\d{1,9})?(?:-r(\d{1,2}))?$/;
const KEY = /^[A-Za-z0-9_-]{22}/;

/** Whether a wire id of ours is that of a re-ask. */
export function isReask(customId: string): boolean {
  return customId.length > 22 && (parseCustomId(customId)?.reask ?? 0) > 0;
}

/** Reads a wire id, or null if it is not one of ours. */
export function parseCustomId(customId: string): CustomIdParts | null {
  if (!KEY.test(customId)) return null;
  if (customId.length === 22) return { key: customId, reask: 0 };
  const suffixes = SUFFIXES.exec(customId.slice(22));
  if (suffixes === null) return null;
  return { key: customId.slice(0, 22) + (suffixes[1] ?? ''), reask: Number(suffixes[2] ?? 0) };
}

/**
 * By how much an answer may exceed the job's output cap: each re-ask may double the cap of the previous one.
 * @returns 1 for a first request, and for an id that is not ours
 */
export function countAnswerCaps(customId: string): number {
  return customId.length === 22 ? 1 : 2 ** (parseCustomId(customId)?.reask ?? 0);
}

/** The wire id of the n-th re-ask of a key; n = 0 is the key itself. */
export function makeCustomId(key: string, reask: number): string {
  return reask === 0 ? key : `${key}-r${reask}`;
}

/** One line of a Batch API input file, without its newline. */
export function makeRequestLine(request: Request): string {
  return `{"custom_id":"${request.customId}","method":"POST","url":"${request.url}","body":${request.body}}`;
}

const FRAME_BYTES = makeRequestLine({ key: '', customId: '', url: '', body: '' }).length + 1;

/** How many bytes such a line has besides the body, its newline included. */
export function countFrameBytes({ customId, url }: Pick<Request, 'customId' | 'url'>): number {
  return FRAME_BYTES + customId.length + url.length;
}

/** The most output tokens a request allows, over all its votes; null without a cap. An embedding has no output. */
export function readCapTokens({ url, body }: Pick<Request, 'url' | 'body'>): number | null {
  if (url === '/v1/embeddings') return 0;
  const parsed = JSON.parse(body) as Readonly<Record<string, unknown>>;
  const cap = parsed.max_completion_tokens ?? parsed.max_output_tokens ?? parsed.max_tokens;
  if (typeof cap !== 'number') return null;
  return cap * (typeof parsed.n === 'number' && parsed.n > 1 ? parsed.n : 1);
}
