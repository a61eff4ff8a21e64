/** An image part of a request. */
export interface BodyImage {
  /** As in the body. */
  readonly url: string;
  /** Null: the API decides, which for counting is `high`. */
  readonly detail: string | null;
}

/** A body without its images, which is still JSON, and the images. */
export interface SplitBody {
  readonly text: string;
  readonly images: readonly BodyImage[];
}

/** The start of every image part in a job's bodies; inside the text of a row its quotes would be escaped. */
const CHAT_PART = '{"type":"image_url","image_url":{"url":"';
const RESPONSES_PART = '{"type":"input_image","image_url":"';
/** Likewise for files. */
const PARTS = [CHAT_PART, RESPONSES_PART, '{"type":"file","file":{"file_data":"', '{"type":"input_file","file_data":"'];
const DETAIL = ',"detail":"';
const NO_IMAGES: readonly BodyImage[] = [];

/** Takes the images out of a body: the rest is as long as its text, however large they are. */
export function splitImages(body: string): SplitBody {
  const findPart = createFinder(body);
  let part = findPart(0);
  if (part === null) return { text: body, images: NO_IMAGES };
  const images: BodyImage[] = [];
  let text = '';
  let from = 0;
  for (; part !== null; part = findPart(from)) {
    const start = part.at + part.beginning.length;
    const end = findQuote(body, start);
    if (end === -1) break;
    const hasDetail = body.startsWith(DETAIL, end + 1);
    const detailStart = end + 1 + DETAIL.length;
    images.push({ url: body.slice(start, end), detail: hasDetail ? body.slice(detailStart, body.indexOf('"', detailStart)) : null });
    text += body.slice(from, start);
    from = end;
  }
  // Substrings keep the whole string in memory: the text must outlive its images.
  return { text: Buffer.from(text + body.slice(from)).toString(), images };
}

/** Finds the next image or file; anything the body does not contain is searched for once. */
function createFinder(body: string) {
  const next = PARTS.map((beginning) => ({ beginning, at: body.indexOf(beginning) })).filter(({ at }) => at !== -1);
  return (from: number): { readonly at: number; readonly beginning: string } | null => {
    let first: (typeof next)[number] | null = null;
    for (const part of next) {
      if (part.at !== -1 && part.at < from) part.at = body.indexOf(part.beginning, from);
      if (part.at !== -1 && (first === null || part.at < first.at)) first = part;
    }
    return first === null ? null : { ...first };
  };
}

/** The closing quote of a JSON string. */
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
