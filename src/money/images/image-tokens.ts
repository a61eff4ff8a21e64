import { type ImageHeader, readImageHeader } from '../../core/image-header.ts';
import { listBaseNames } from '../../core/model/base-model.ts';
import type { BodyImage } from './body-images.ts';
import { countPdfPages } from './pdf-tokens.ts';

/** How a model counts images: tiles of 512 pixels plus a base, or patches of 32 pixels times a factor. */
type ImageRule =
  | { readonly type: 'tiles'; readonly base: number; readonly tile: number }
  | {
      readonly type: 'patches';
      readonly factor: number;
      /** The size an image is reduced to if no detail is given; null: it is used as it is. */
      readonly fit: PatchFit | null;
      /** The same at detail `high`. */
      readonly high: PatchFit | null;
      /** Whether no table names the model: it is assumed to count like related models. */
      readonly isAssumed?: boolean;
    };

interface PatchFit {
  readonly patches: number;
  readonly longestSide: number;
}

const SMALL: PatchFit = { patches: 1536, longestSide: 2048 };
const MEDIUM: PatchFit = { patches: 2500, longestSide: 2048 };
const LARGE: PatchFit = { patches: 10_000, longestSide: 6000 };

const tiles = (base: number, tile: number): ImageRule => ({ type: 'tiles', base, tile });
const patches = (factor: number, fit: PatchFit | null, high: PatchFit | null = fit): Extract<ImageRule, { type: 'patches' }> => ({
  type: 'patches',
  factor,
  fit,
  high,
});

/**
 * Rules by model (OpenAI’s guide to images and vision as of 2026-10-05, seen 2026-11-29; it gives no figures for `high` of gpt-5.6 and later, which
 * is counted without a limit). The first that matches counts.
 */
const RULES: readonly (readonly [models: RegExp, rule: ImageRule])[] = [
  [/^gpt-4o-mini(-\d|$)/, tiles(2833, 5667)],
  [/^gpt-4\.1-mini(-\d|$)/, patches(1.62, SMALL)],
  [/^gpt-4\.1-nano(-\d|$)/, patches(2.46, SMALL)],
  [/^(chatgpt-4o-latest$|gpt-4-turbo|gpt-4o(-\d|$)|gpt-4\.1(-\d|$)|gpt-4\.5-preview)/, tiles(85, 170)],
  [/^gpt-5-mini(-\d|$)/, patches(1.2, SMALL)],
  [/^gpt-5-nano(-\d|$)/, patches(1.5, SMALL)],
  [/^gpt-5(\.1)?(-\d|-chat-latest$|$)/, tiles(70, 140)],
  [/^gpt-5\.(2|4-mini|4-nano)(-\d|-codex|-chat-latest$|$)|^gpt-5\.3-codex|^gpt-5-codex-mini/, patches(1.2, SMALL)],
  [/^gpt-5\.4(-\d|$)/, patches(1.2, MEDIUM)],
  [/^gpt-5\.5(-\d|$)/, patches(1.2, LARGE, MEDIUM)],
  [/^gpt-(5\.6|6-astra)/, patches(1.2, null)],
  [/^gpt-6/, { ...patches(1.2, null), isAssumed: true }],
  [/^o4-mini(-\d|$)/, patches(1.72, SMALL)],
  [/^(o1|o3)(-\d|$)/, tiles(75, 150)],
];

/** The rule for a model that no rule names, and the size of an image of unknown size. */
const ASSUMED_RULE = tiles(85, 170);
/** For models that accept any size: the largest size that other models use. */
const LARGEST_SIZE = { width: 6000, height: 6000 };
const ASSUMED_SIZE = { width: 1024, height: 1024 };

/** For each page of a PDF the model gets the text and an image (OpenAI's guide to file inputs, seen 2026-11-29; it gives no figures). */
const PAGE_TEXT_TOKENS = 800;
const PAGE_SIZE = { width: 1224, height: 1584 };

const LONGEST_SIDE = 2048;
const SHORTEST_SIDE = 768;
const TILE_PIXELS = 512;
const MOST_TILES = Math.ceil(LONGEST_SIDE / TILE_PIXELS) * Math.ceil(SHORTEST_SIDE / TILE_PIXELS);
const PATCH_PIXELS = 32;

/** Prompt tokens of the images of a request. */
export interface ImageTokens {
  /** Images of unknown size counted as 1024 x 1024. */
  readonly tokens: number;
  /** How many more they can be at most, if a size is unknown. */
  readonly unsizedTokens: number;
  /** Images of unknown size: they are behind a URL. */
  readonly unsized: number;
}

/** How well it is known how a model counts images: `assumed` like related models, `unknown` like gpt-4o. */
export function knowsImagesOf(model: string): 'known' | 'assumed' | 'unknown' {
  const rule = findRule(model);
  if (rule === null) return 'unknown';
  return rule.type === 'patches' && rule.isAssumed === true ? 'assumed' : 'known';
}

/** The most tokens one image can cost; null if it is unknown how the model counts, or if no image is too large for it. */
export function mostImageTokens(model: string): number | null {
  const rule = findRule(model);
  return rule === null ? null : mostTokens(rule);
}

/** Counts images by their real size if they are local or data URLs. */
export function countImageTokens(model: string, images: readonly BodyImage[]): ImageTokens {
  const rule = findRule(model) ?? ASSUMED_RULE;
  let tokens = 0;
  let unsizedTokens = 0;
  let unsized = 0;
  for (const { url, detail } of images) {
    const pdf = countPdfPages(url);
    if (pdf !== null) {
      const ofPages = pdf.pages * (PAGE_TEXT_TOKENS + countTokens(rule, PAGE_SIZE, null));
      tokens += ofPages;
      // Pages of small print have twice the text; their number may be hidden.
      unsizedTokens += pdf.isCounted ? pdf.pages * PAGE_TEXT_TOKENS : ofPages;
      continue;
    }
    const size = readImageSize(url);
    const counted = countTokens(rule, size ?? ASSUMED_SIZE, detail);
    tokens += counted;
    if (size !== null || (rule.type === 'tiles' && detail === 'low')) continue;
    unsized += 1;
    unsizedTokens += (mostTokens(rule) ?? countTokens(rule, LARGEST_SIZE, detail)) - counted;
  }
  return { tokens, unsizedTokens, unsized };
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** Tokens of one image at a size in pixels; null if it is unknown how the model counts. */
export function countTokensOfSize(model: string, size: Size, detail: string | null): number | null {
  const rule = findRule(model);
  return rule === null ? null : countTokens(rule, size, detail);
}

function findRule(model: string): ImageRule | null {
  const [name] = listBaseNames(model);
  return RULES.find(([models]) => models.test(name))?.[1] ?? null;
}

function mostTokens(rule: ImageRule): number | null {
  if (rule.type === 'tiles') return rule.base + rule.tile * MOST_TILES;
  return rule.fit === null ? null : Math.ceil(Math.max(rule.fit.patches, rule.high?.patches ?? 0) * rule.factor);
}

function countTokens(rule: ImageRule, size: Size, detail: string | null): number {
  if (rule.type === 'tiles') return detail === 'low' ? rule.base : rule.base + rule.tile * countTiles(size);
  return Math.ceil(countPatches(size, detail === 'high' ? rule.high : rule.fit) * rule.factor - 1e-9);
}

/** The image is scaled down to fit 2048 x 2048, then its shorter side to 768; it is never enlarged. */
function countTiles({ width, height }: Size): number {
  const toFit = Math.min(1, LONGEST_SIDE / Math.max(width, height));
  const scale = toFit * Math.min(1, SHORTEST_SIDE / (Math.min(width, height) * toFit));
  return ceil((width * scale) / TILE_PIXELS) * ceil((height * scale) / TILE_PIXELS);
}

/** An image that is too long or has too many patches is scaled down until whole patches of it fit. */
function countPatches(size: Size, fit: PatchFit | null): number {
  const { width, height } = fit === null ? size : fitSide(size, fit.longestSide);
  const patches = ceil(width / PATCH_PIXELS) * ceil(height / PATCH_PIXELS);
  if (fit === null || patches <= fit.patches) return patches;
  const scale = Math.sqrt((fit.patches * PATCH_PIXELS ** 2) / (width * height));
  const [across, down] = [(width * scale) / PATCH_PIXELS, (height * scale) / PATCH_PIXELS];
  const toWhole = Math.min(wholeShare(across), wholeShare(down));
  return Math.min(fit.patches, ceil(across * toWhole) * ceil(down * toWhole));
}

function fitSide({ width, height }: Size, longestSide: number): Size {
  const scale = Math.min(1, longestSide / Math.max(width, height));
  return { width: width * scale, height: height * scale };
}

function wholeShare(patches: number): number {
  return patches < 1 ? 1 : Math.floor(patches) / patches;
}

/** Rounding errors of binary fractions make no patch. */
function ceil(value: number): number {
  return Math.max(1, Math.ceil(value - 1e-9));
}

/** Base64 characters decoded first; a multiple of four. Nearly every image has its size in its first 48 KB. */
const FIRST_CHARACTERS = 65_536;

/** The size of an image in a base64 data URL; null for any other URL, and for anything that is not an image. */
export function readImageSize(url: string): Pick<ImageHeader, 'width' | 'height'> | null {
  if (!url.startsWith('data:')) return null;
  const start = url.indexOf(';base64,') + ';base64,'.length;
  if (start < ';base64,'.length) return null;
  const read = (end?: number) => readImageHeader(Buffer.from(url.slice(start, end), 'base64'));
  return read(start + FIRST_CHARACTERS) ?? (url.length > start + FIRST_CHARACTERS ? read() : null);
}
