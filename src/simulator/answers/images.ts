import { WireError } from '../wire-error.ts';

/** An image of a request, or a file: its location, or its content. */
export interface PromptImage {
  readonly url: string;
  readonly detail: string;
}

/** The size assumed for an image that is not fetched. */
const UNSEEN = { width: 1024, height: 1024 };

const PDF = 'data:application/pdf;base64,';
/** Of a page, the guide to file inputs says that the model is given its text and an image of it, and gives no figures: these are assumed. */
const PAGE = { width: 1224, height: 1584, textTokens: 800, bytes: 50_000 };

/**
 * Prompt tokens of an image, by the published rules of tiles and patches; models without one count tiles like gpt-4o. A PDF counts by its pages, which
 * are guessed from its size if they are compressed.
 */
export function countImageTokens(model: string, { url, detail }: PromptImage): number {
  if (url.startsWith(PDF)) return countPages(url) * (PAGE.textTokens + countSize(model, PAGE, 'auto'));
  const size = url.startsWith('data:') ? measure(url) : UNSEEN;
  return size === null ? 0 : countSize(model, size, detail);
}

function countPages(url: string): number {
  const bytes = Buffer.from(url.slice(PDF.length), 'base64');
  return bytes.toString('latin1').match(/\/Type\s*\/Page\b/g)?.length ?? Math.ceil(bytes.length / PAGE.bytes);
}

function countSize(model: string, { width, height }: { readonly width: number; readonly height: number }, detail: string): number {
  const rule = patchRule(model);
  if (rule !== null) {
    const [budget, side] = detail === 'high' ? (rule.high ?? rule.usual) : rule.usual;
    return Math.ceil(patchesOf(width, height, budget, side) * rule.factor - 1e-6);
  }
  const [base, tile] = tileCosts(model);
  return detail === 'low' ? base : base + tile * tilesOf(width, height);
}

/** Refuses images the API would refuse. Throws WireError 400. */
export function checkImages(images: readonly PromptImage[]): void {
  for (const { url } of images) {
    if (/^https?:\/\/./i.test(url) || url.startsWith(PDF)) continue;
    if (!url.startsWith('data:')) {
      const message = `Invalid image URL: '${url.slice(0, 60)}'. Expected a base64-encoded data URL with an image MIME type, or an http(s) URL.`;
      throw new WireError(400, { message, code: 'invalid_image_url' });
    }
    if (measure(url) === null) {
      const formats = "Please make sure your image has of one the following formats: ['png', 'jpeg', 'gif', 'webp'].";
      throw new WireError(400, { message: `You uploaded an unsupported image. ${formats}`, code: 'invalid_image_format' });
    }
  }
}

function measure(url: string): { width: number; height: number } | null {
  const mime = /^data:image\/(png|jpe?g|gif|webp);base64,/.exec(url.slice(0, 40));
  const size = mime === null ? null : readSize(Buffer.from(url.slice(mime[0].length), 'base64'));
  return size !== null && size.width > 0 && size.height > 0 ? size : null;
}

function readSize(bytes: Buffer): { width: number; height: number } | null {
  const name = bytes.toString('latin1', 0, 16);
  if (name.startsWith('\x89PNG') && bytes.length > 24) return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
  if (name.startsWith('GIF8') && bytes.length > 10) return { width: bytes.readUInt16LE(6), height: bytes.readUInt16LE(8) };
  if (name.startsWith('RIFF') && bytes.length > 30) return readWebpSize(bytes, name.slice(12));
  return name.startsWith('\xff\xd8') ? readJpegSize(bytes) : null;
}

function readWebpSize(bytes: Buffer, chunk: string): { width: number; height: number } {
  if (chunk === 'VP8X') return { width: bytes.readUIntLE(24, 3) + 1, height: bytes.readUIntLE(27, 3) + 1 };
  if (chunk === 'VP8 ') return { width: bytes.readUInt16LE(26) % 16_384, height: bytes.readUInt16LE(28) % 16_384 };
  const packed = bytes.readUInt32LE(21);
  return { width: (packed % 16_384) + 1, height: (Math.floor(packed / 16_384) % 16_384) + 1 };
}

function readJpegSize(bytes: Buffer): { width: number; height: number } | null {
  for (let at = 2; at + 9 < bytes.length; ) {
    const kind = bytes[at + 1] ?? 0;
    if ([0xc0, 0xc1, 0xc2, 0xc3].includes(kind)) return { height: bytes.readUInt16BE(at + 5), width: bytes.readUInt16BE(at + 7) };
    at += 2 + bytes.readUInt16BE(at + 2);
  }
  return null;
}

type Bounds = readonly [patches: number, longestSide: number];

const UNBOUNDED: Bounds = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];

/** Factors and bounds of the guide's table as of 2026-10-05; models it does not name count as those before them. */
function patchRule(model: string): { readonly factor: number; readonly usual: Bounds; readonly high?: Bounds } | null {
  const usual: Bounds = [1536, 2048];
  if (/^gpt-4\.1-mini/.test(model)) return { factor: 1.62, usual };
  if (/^gpt-4\.1-nano/.test(model)) return { factor: 2.46, usual };
  if (model.startsWith('o4-mini')) return { factor: 1.72, usual };
  if (/^gpt-5-nano/.test(model)) return { factor: 1.5, usual };
  if (/^gpt-5-mini|^gpt-5\.2|^gpt-5\.3-codex|^gpt-5\.4-(mini|nano)/.test(model)) return { factor: 1.2, usual };
  if (/^gpt-5\.4/.test(model)) return { factor: 1.2, usual: [2500, 2048] };
  if (/^gpt-5\.5/.test(model)) return { factor: 1.2, usual: [10_000, 6000], high: [2500, 2048] };
  return /^gpt-(5\.6|6)/.test(model) ? { factor: 1.2, usual: UNBOUNDED } : null;
}

function tileCosts(model: string): readonly [base: number, tile: number] {
  if (model.startsWith('gpt-4o-mini')) return [2833, 5667];
  if (/^o[13]/.test(model)) return [75, 150];
  return /^gpt-5(\.1)?(-\d|$)/.test(model) ? [70, 140] : [85, 170];
}

function tilesOf(width: number, height: number): number {
  let [long, short] = [Math.max(width, height), Math.min(width, height)];
  if (long > 2048) [long, short] = [2048, (short * 2048) / long];
  if (short > 768) [long, short] = [(long * 768) / short, 768];
  return Math.ceil(long / 512 - 1e-6) * Math.max(1, Math.ceil(short / 512 - 1e-6));
}

function patchesOf(width: number, height: number, budget: number, side: number): number {
  const toSide = Math.min(1, side / Math.max(width, height));
  const [wide, high] = [width * toSide, height * toSide];
  const whole = Math.max(1, Math.ceil(wide / 32 - 1e-6)) * Math.max(1, Math.ceil(high / 32 - 1e-6));
  if (whole <= budget) return whole;
  const shrink = Math.sqrt((budget * 1024) / (wide * high));
  const [columns, rows] = [(wide * shrink) / 32, (high * shrink) / 32];
  const fit = Math.min(Math.max(1, Math.floor(columns)) / columns, Math.max(1, Math.floor(rows)) / rows);
  return Math.min(budget, Math.max(1, Math.ceil(columns * fit - 1e-6)) * Math.max(1, Math.ceil(rows * fit - 1e-6)));
}
