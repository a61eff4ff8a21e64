import { isUtf8 } from 'node:buffer';

/** Accented letters in Western texts are surrounded by plain letters: three in a row are rare. */
const LONG_RUN = 3;
const MOSTLY_SHORT = 0.6;
/** Lower-case Cyrillic letters of windows-1251. */
const SMALL_CYRILLIC = [0xe0, 0xff] as const;
const MOSTLY_CYRILLIC = 0.7;
/** Encodings with two bytes per character, each recognised by what its own texts are full of, and by what they rarely contain. */
const EAST_ASIAN: readonly (readonly [encoding: string, typical: RegExp, rare: RegExp | null])[] = [
  ['shift_jis', /[\u3041-\u3096\u30a1-\u30fe]/g, null],
  ['euc-jp', /[\u3041-\u3096\u30a1-\u30fe]/g, null],
  // Chinese read as Korean is half Hangul, half Hanja.
  ['euc-kr', /[\uac00-\ud7a3]/g, /[\u4e00-\u9fff]/g],
  ['gb18030', /[\u4e00-\u9fff]/g, null],
];
const RARE = 0.1;
const TYPICAL_BYTES = 0.3;
const ZERO_BYTES = 0.3;

/**
 * The probable encoding of a text without a byte order mark, from a part of it: null for UTF-8, which need not be named.
 * @param head bytes of the file; characters may be cut at both ends
 */
export function guessEncoding(head: Buffer): string | null {
  const wide = guessUtf16(head);
  if (wide !== null || isUtf8(cutTornEnds(head))) return wide;
  const runs = listHighRuns(head);
  const high = runs.reduce((sum, run) => sum + run, 0);
  const short = runs.filter((run) => run < LONG_RUN).reduce((sum, run) => sum + run, 0);
  if (short >= high * MOSTLY_SHORT) return 'windows-1252';
  const cyrillic = head.reduce((count, byte) => count + (byte >= SMALL_CYRILLIC[0] && byte <= SMALL_CYRILLIC[1] ? 1 : 0), 0);
  return cyrillic >= high * MOSTLY_CYRILLIC ? 'windows-1251' : (guessEastAsian(head, high) ?? 'windows-1252');
}

/** Whether a text begins with the byte order mark of UTF-16, which the reader obeys. */
export function hasMark([first, second]: Buffer): boolean {
  return (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
}

/** UTF-16 is recognised by its zeros: every other byte of its plain letters, delimiters and line breaks. */
function guessUtf16(head: Buffer): string | null {
  const pairs = head.length >> 1;
  const zeros = [0, 0] as [number, number];
  for (let at = 0; at < pairs * 2; at += 1) if (head[at] === 0) zeros[at % 2 === 0 ? 0 : 1] += 1;
  if (zeros[1] > pairs * ZERO_BYTES && zeros[0] === 0) return 'utf-16le';
  return zeros[0] > pairs * ZERO_BYTES && zeros[1] === 0 ? 'utf-16be' : null;
}

/** A part of a text without the remains of cut characters at its two ends. */
function cutTornEnds(bytes: Buffer): Buffer {
  let end = bytes.length;
  let start = 0;
  while (start < 3 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start += 1;
  while (end > Math.max(0, bytes.length - 3) && ((bytes[end - 1] ?? 0) & 0xc0) === 0x80) end -= 1;
  const isTorn = (bytes[end - 1] ?? 0) >= 0xc0;
  return bytes.subarray(start, isTorn ? end - 1 : bytes.length);
}

/** Lengths of the runs of bytes above ASCII. */
function listHighRuns(bytes: Buffer): readonly number[] {
  const runs: number[] = [];
  let run = 0;
  for (const byte of bytes) {
    if (byte >= 0x80) run += 1;
    else if (run > 0) {
      runs.push(run);
      run = 0;
    }
  }
  return run > 0 ? [...runs, run] : runs;
}

/** The encoding in which the text is valid and has much that is typical of it. */
function guessEastAsian(bytes: Buffer, high: number): string | null {
  for (const [encoding, typical, rare] of EAST_ASIAN) {
    try {
      // As a stream, so that a character cut at the end is not an error.
      const text = new TextDecoder(encoding, { fatal: true }).decode(bytes, { stream: true });
      const count = (pattern: RegExp | null) => (pattern === null ? 0 : (text.match(pattern)?.length ?? 0));
      if (count(typical) * 2 >= high * TYPICAL_BYTES && count(rare) <= count(typical) * RARE) return encoding;
    } catch {
      // Not this one.
    }
  }
  return null;
}
