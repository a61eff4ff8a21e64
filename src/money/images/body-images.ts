/** An image part of a request. */
export interface BodyImage {
  /** As it stands in the body. */
  readonly url: string;
  /** Null: the API decides, which for counting is `high`. */
  readonly detail: string | null;
}

/** A body without its images, which is still JSON, and the images. */
export interface SplitBody {
  readonly text: string;
  readonly images: readonly BodyImage[];
}

/** How every image part begins that a job makes; inside the text of a row its quotes would be escaped. */
const CHAT_PART = '{"type":"image_url","image_url":{"url":"';
const RESPONSES_PART = '{"type":"input_image","image_url":"';
const DETAIL = ',"detail":"';
const NO_IMAGES: readonly BodyImage[] = [];

/** Takes the images out of a body: what is left is as long as its text, however large they are. */
export function splitImages(body: string): SplitBody {
  const part = body.includes(CHAT_PART) ? CHAT_PART : RESPONSES_PART;
  let found = body.indexOf(part);
  if (found === -1) return { text: body, images: NO_IMAGES };
  const images: BodyImage[] = [];
  let text = '';
  let from = 0;
  for (; found !== -1; found = body.indexOf(part, from)) {
    const start = found + part.length;
    const end = findQuote(body, start);
    if (end === -1) break;
    const hasDetail = body.startsWith(DETAIL, end + 1);
    const detailStart = end + 1 + DETAIL.length;
    images.push({ url: body.slice(start, end), detail: hasDetail ? body.slice(detailStart, body.indexOf('"', detailStart)) : null });
    text += body.slice(from, start);
    from = end;
  }
  // Parts of a string keep the whole of it in memory: the text is to outlive its images.
  return { text: Buffer.from(text + body.slice(from)).toString(), images };
}

/** The quote that ends a JSON string. */
function findQuote(text: string, start: number): number {
  let quote = text.indexOf('"', start);
  while (quote !== -1 && isEscaped(text, quote)) quote = text.indexOf('"', quote + 1);
  return quote;
}

function isEscaped(text: string, quote: number): boolean {
  let slashes = 0;
  while (text[quote - 1 - slashes] === '\\') slashes += 1;
  return slashes % 2 === 1;
}
