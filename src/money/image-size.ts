import { type ImageHeader, readImageHeader } from '../core/image-header.ts';

/** Base64 characters looked at first; a multiple of four. Nearly every image tells its size in its first 48 KB. */
const FIRST_CHARACTERS = 65_536;

/** The size of an image in a base64 data URL; null for any other URL, and for what is no image. */
export function readImageSize(url: string): Pick<ImageHeader, 'width' | 'height'> | null {
  if (!url.startsWith('data:')) return null;
  const start = url.indexOf(';base64,') + ';base64,'.length;
  if (start < ';base64,'.length) return null;
  const read = (end?: number) => readImageHeader(Buffer.from(url.slice(start, end), 'base64'));
  return read(start + FIRST_CHARACTERS) ?? (url.length > start + FIRST_CHARACTERS ? read() : null);
}
