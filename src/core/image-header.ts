/** What the first bytes of an image reveal. */
export interface ImageHeader {
  readonly type: 'png' | 'jpeg' | 'gif' | 'webp';
  /** Pixels. */
  readonly width: number;
  readonly height: number;
}

/**
 * Reads type and size from the beginning of a PNG, JPEG, GIF or WebP image. A few dozen bytes are enough, except for JPEG, whose size follows
 * the camera's metadata.
 * @returns null for anything else, and for an image cut off before its size
 */
export function readImageHeader(bytes: Uint8Array): ImageHeader | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header = readPng(view) ?? readGif(view) ?? readWebp(view) ?? readJpeg(view);
  return header === null || header.width === 0 || header.height === 0 ? null : header;
}

function startsWith(view: DataView, offset: number, text: string): boolean {
  if (view.byteLength < offset + text.length) return false;
  for (let index = 0; index < text.length; index += 1) if (view.getUint8(offset + index) !== text.charCodeAt(index)) return false;
  return true;
}

function readPng(view: DataView): ImageHeader | null {
  if (view.byteLength < 24 || !startsWith(view, 0, '\x89PNG\r\n\x1a\n') || !startsWith(view, 12, 'IHDR')) return null;
  return { type: 'png', width: view.getUint32(16), height: view.getUint32(20) };
}

function readGif(view: DataView): ImageHeader | null {
  if (view.byteLength < 10 || !(startsWith(view, 0, 'GIF87a') || startsWith(view, 0, 'GIF89a'))) return null;
  return { type: 'gif', width: view.getUint16(6, true), height: view.getUint16(8, true) };
}

/** Three kinds of chunk may come first: lossy, lossless, extended (Google's WebP container specification). */
function readWebp(view: DataView): ImageHeader | null {
  if (view.byteLength < 30 || !startsWith(view, 0, 'RIFF') || !startsWith(view, 8, 'WEBP')) return null;
  if (startsWith(view, 12, 'VP8 '))
    return { type: 'webp', width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
  if (startsWith(view, 12, 'VP8L')) {
    const bits = view.getUint32(21, true);
    return { type: 'webp', width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
  }
  if (!startsWith(view, 12, 'VP8X')) return null;
  const read24 = (offset: number) => view.getUint16(offset, true) + (view.getUint8(offset + 2) << 16);
  return { type: 'webp', width: read24(24) + 1, height: read24(27) + 1 };
}

/** Walks over the segments to the first start of frame, which holds the size. */
function readJpeg(view: DataView): ImageHeader | null {
  if (!startsWith(view, 0, '\xff\xd8\xff')) return null;
  let offset = 2;
  while (offset + 9 < view.byteLength) {
    if (view.getUint8(offset) !== 0xff) return null;
    const marker = view.getUint8(offset + 1);
    if (marker === 0xff) offset += 1;
    else if (isStartOfFrame(marker)) return { type: 'jpeg', height: view.getUint16(offset + 5), width: view.getUint16(offset + 7) };
    else if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7)) offset += 2;
    else offset += 2 + view.getUint16(offset + 2);
  }
  return null;
}

/** C0 to CF except the tables DHT, JPG and DAC. */
function isStartOfFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}
