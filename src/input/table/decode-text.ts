import { isUtf8 } from 'node:buffer';
import { UsageError } from '../../core/errors.ts';
import { describeNoText } from './foreign-file.ts';
import type { TableFile } from './read-bytes.ts';

/** The byte values 0x80 to 0x9f in windows-1252; the five it leaves undefined stay control characters, as in the WHATWG standard. */
const WINDOWS_1252 = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ';

type Decode = (bytes: Buffer, isEnd: boolean) => string;

/**
 * Turns bytes into UTF-8 without a byte order mark. A mark decides between UTF-8 and UTF-16 whatever `encoding` says.
 * @throws UsageError for a file that is no text, and with file and line at the first byte that is not text in the encoding; nothing becomes U+FFFD
 */
export async function* decodeText(chunks: AsyncIterable<Buffer>, file: TableFile, encoding: string | null): AsyncGenerator<Buffer> {
  const iterator = chunks[Symbol.asyncIterator]();
  try {
    let head: Buffer = Buffer.alloc(0);
    while (head.length < 4) {
      const next = await iterator.next();
      if (next.done === true) break;
      head = Buffer.concat([head, next.value]);
    }
    const mark = readMark(head);
    const label = mark?.encoding ?? canonicalEncoding(encoding ?? 'utf-8');
    if (mark === null && label === 'utf-8') refuseUnmarkedUtf16(head, file);
    if (!label.startsWith('utf-16')) refuseNoText(head, file);
    const rest = prepend(head.subarray(mark?.lengthBytes ?? 0), iterator);
    const advice = adviseOn(mark !== null, encoding);
    yield* label === 'utf-8' ? checkUtf8(rest, { file, advice }) : transcode(rest, { file, advice }, label);
  } finally {
    await iterator.return?.(undefined);
  }
}

/** The WHATWG name of an encoding label; `latin1` is windows-1252 there. @throws UsageError for an unknown label */
export function canonicalEncoding(label: string): string {
  try {
    return new TextDecoder(label).encoding;
  } catch {
    throw new UsageError(`input.encoding: unknown encoding "${label}"; for example utf-8, utf-16le, windows-1252, shift_jis, gb18030`, {
      code: 'table',
    });
  }
}

function readMark(head: Buffer): { encoding: string; lengthBytes: number } | null {
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) return { encoding: 'utf-8', lengthBytes: 3 };
  if (head[0] === 0xff && head[1] === 0xfe) return { encoding: 'utf-16le', lengthBytes: 2 };
  if (head[0] === 0xfe && head[1] === 0xff) return { encoding: 'utf-16be', lengthBytes: 2 };
  return null;
}

/** Two letters with a zero byte between them are UTF-16 without a mark; read as UTF-8 every cell would be full of zeros. */
function refuseUnmarkedUtf16(head: Buffer, file: TableFile): void {
  const isLittle = head[0] !== 0 && head[1] === 0 && head[2] !== 0 && head[3] === 0;
  const isBig = head[0] === 0 && head[1] !== 0 && head[2] === 0 && head[3] !== 0;
  if (head.length < 4 || !(isLittle || isBig)) return;
  const message = `looks like UTF-16 without a byte order mark; set input.encoding: ${isLittle ? 'utf-16le' : 'utf-16be'}`;
  throw new UsageError([{ place: { file: file.shown, line: 1, column: 1 }, message }], { code: 'table' });
}

function refuseNoText(head: Buffer, { shown }: TableFile): void {
  const message = describeNoText(shown, head);
  if (message !== null) throw new UsageError(message, { code: 'table' });
}

async function* prepend(first: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  if (first.length > 0) yield first;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}

/** A file, and what to do about bytes in it that are not text. */
interface Checked {
  readonly file: TableFile;
  readonly advice: string;
}

function adviseOn(isMarked: boolean, encoding: string | null): string {
  if (isMarked) return ', as its byte order mark says; is the file complete?';
  return encoding === null ? '; set input.encoding, for example windows-1252' : '; is input.encoding right?';
}

async function* checkUtf8(chunks: AsyncIterable<Buffer>, checked: Checked): AsyncGenerator<Buffer> {
  let lines = 1;
  /** The characters that are complete. */
  const check = (bytes: Buffer): Buffer => {
    const whole = bytes.subarray(0, bytes.length - countTornBytes(bytes));
    if (!isUtf8(whole)) throw notText(checked, lines + countLineBreaks(whole.subarray(0, findBadByte(whole))), 'UTF-8');
    lines += countLineBreaks(whole);
    return whole;
  };
  let torn: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    let rest = chunk;
    if (torn.length > 0) {
      const joint = Buffer.concat([torn, chunk.subarray(0, LONGEST_CHARACTER_BYTES - torn.length)]);
      const mended = check(joint);
      rest = mended.length === 0 ? joint : chunk.subarray(mended.length - torn.length);
      if (mended.length > 0) yield mended;
    }
    const whole = check(rest);
    torn = Buffer.from(rest.subarray(whole.length));
    if (whole.length > 0) yield whole;
  }
  if (torn.length > 0) throw notText(checked, lines, 'UTF-8');
}

const LONGEST_CHARACTER_BYTES = 4;

/** Bytes at the end that start a character the chunk does not finish. */
function countTornBytes(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte >= 0xc0) return (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) > back ? back : 0;
    if (byte < 0x80) return 0;
  }
  return 0;
}

/** The first byte that breaks UTF-8, found by bisection until only a few characters are left. */
function findBadByte(bytes: Buffer): number {
  let good = 0;
  for (let bad = bytes.length; bad - good > 2 * LONGEST_CHARACTER_BYTES; ) {
    const middle = (good + bad) >> 1;
    const head = bytes.subarray(good, middle);
    const whole = head.length - countTornBytes(head);
    if (isUtf8(head.subarray(0, whole))) good += whole;
    else bad = middle;
  }
  for (let length = 1; length <= LONGEST_CHARACTER_BYTES; length += 1) {
    if (good + length > bytes.length || !isUtf8(bytes.subarray(good, good + length))) continue;
    good += length;
    length = 0;
  }
  return good;
}

async function* transcode(chunks: AsyncIterable<Buffer>, checked: Checked, encoding: string): AsyncGenerator<Buffer> {
  const decode = makeDecode(encoding);
  let lines = 1;
  const convert = (bytes: Buffer, isEnd: boolean): Buffer => {
    try {
      const text = Buffer.from(decode(bytes, isEnd), 'utf8');
      lines += countLineBreaks(text);
      return text;
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      const lossy = new TextDecoder(encoding).decode(bytes);
      throw notText(checked, lines + countLineBreaks(Buffer.from(lossy.slice(0, Math.max(0, lossy.indexOf('\ufffd'))))), encoding);
    }
  };
  for await (const chunk of chunks) {
    const text = convert(chunk, false);
    if (text.length > 0) yield text;
  }
  const last = convert(Buffer.alloc(0), true);
  if (last.length > 0) yield last;
}

/** windows-1252 is decoded here: some Node versions read it as ISO-8859-1. */
function makeDecode(encoding: string): Decode {
  if (encoding === 'windows-1252') {
    return (bytes) =>
      bytes.toString('latin1').replaceAll(/[\u0080-\u009f]/g, (character) => WINDOWS_1252[character.charCodeAt(0) - 0x80] ?? character);
  }
  const decoder = new TextDecoder(encoding, { fatal: true, ignoreBOM: true });
  return (bytes, isEnd) => decoder.decode(bytes, { stream: !isEnd });
}

function notText({ file, advice }: Checked, line: number, encoding: string): UsageError {
  const message = `bytes that are not ${encoding}${advice}`;
  return new UsageError([{ place: { file: file.shown, line, column: 1 }, message }], { code: 'table' });
}

function countLineBreaks(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) count++;
  return count;
}
