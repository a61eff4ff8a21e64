import type { Readable } from 'node:stream';
import { WireError } from './wire-error.ts';

/** One part of a form as it arrives. */
export interface FormPart {
  readonly name: string;
  /** Undefined: a plain field. */
  readonly filename: string | undefined;
  /** The bytes in order. Must be read to the end before the next part. */
  readonly content: AsyncIterable<Buffer>;
}

const LINE_BREAK = Buffer.of(13, 10);
const HEADERS_END = Buffer.of(13, 10, 13, 10);
const LONGEST_HEADERS_BYTES = 16 * 1024;

/** Reads a multipart/form-data body part by part, in any order, holding no more than a chunk. Throws WireError 400 if it is malformed. */
export async function* readForm(body: Readable, contentType: string | undefined): AsyncGenerator<FormPart> {
  const boundary = /^multipart\/form-data\s*;.*boundary=(?:"([^"]+)"|([^\s;]+))/i.exec(contentType ?? '');
  const name = boundary?.[1] ?? boundary?.[2];
  if (name === undefined)
    throw new WireError(400, { message: 'Could not parse multipart form: expected a multipart/form-data body with a boundary' });
  const source = createSource(body);
  // The first boundary has no line break before it; with one added, all look alike.
  source.prepend(LINE_BREAK);
  const delimiter = Buffer.from(`\r\n--${name}`);
  for await (const _ of source.readUntil(delimiter));
  while ((await source.take(2)).toString('latin1') === '\r\n') {
    const headers = await readHeaders(source);
    const content = source.readUntil(delimiter);
    yield { ...readDisposition(headers), content };
    for await (const _ of content);
  }
}

interface Source {
  prepend(bytes: Buffer): void;
  take(count: number): Promise<Buffer>;
  /** Yields what precedes the delimiter and consumes both. */
  readUntil(delimiter: Buffer): AsyncGenerator<Buffer>;
}

function createSource(body: Readable): Source {
  const chunks = body[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let held: Buffer = Buffer.alloc(0);

  async function pull(): Promise<void> {
    const next = await chunks.next();
    if (next.done === true) throw new WireError(400, { message: 'Could not parse multipart form: the body ends early' });
    held = held.length === 0 ? next.value : Buffer.concat([held, next.value]);
  }

  return {
    prepend: (bytes) => {
      held = Buffer.concat([bytes, held]);
    },
    async take(count) {
      while (held.length < count) await pull();
      const taken = held.subarray(0, count);
      held = held.subarray(count);
      return taken;
    },
    async *readUntil(delimiter) {
      for (;;) {
        const index = held.indexOf(delimiter);
        if (index >= 0) {
          if (index > 0) yield held.subarray(0, index);
          held = held.subarray(index + delimiter.length);
          return;
        }
        // The delimiter may be split by the chunk's end: that many bytes wait for the next chunk.
        const safe = Math.max(0, held.length - delimiter.length + 1);
        const ready = held.subarray(0, safe);
        held = held.subarray(safe);
        if (ready.length > 0) yield ready;
        await pull();
      }
    },
  };
}

async function readHeaders(source: Source): Promise<string> {
  // A part may have no header at all: then the blank line follows at once.
  source.prepend(LINE_BREAK);
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of source.readUntil(HEADERS_END)) {
    bytes += piece.length;
    if (bytes > LONGEST_HEADERS_BYTES)
      throw new WireError(400, { message: 'Could not parse multipart form: headers of a part are too long' });
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

function readDisposition(headers: string): { readonly name: string; readonly filename: string | undefined } {
  const disposition = /^content-disposition:(.*)$/im.exec(headers)?.[1] ?? '';
  const name = /[;\s]name="([^"]*)"/i.exec(disposition)?.[1] ?? '';
  const filename = /[;\s]filename="([^"]*)"/i.exec(disposition)?.[1];
  return { name, filename: filename?.replaceAll('%22', '"') };
}
