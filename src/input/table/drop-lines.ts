const LF = 10;
const CR = 13;

/** A text after its first few lines, which end in LF, CRLF or CR. */
export async function* dropLines(chunks: AsyncIterable<Buffer>, count: number): AsyncGenerator<Buffer> {
  let left = count;
  /** A CRLF may be split by the end of a piece. */
  let isAfterCr = false;
  for await (const chunk of chunks) {
    let at = 0;
    while (at < chunk.length && (left > 0 || isAfterCr)) {
      const byte = chunk[at];
      if (left === 0 && byte !== LF) break;
      at += 1;
      if (byte === CR || (byte === LF && !isAfterCr)) left -= 1;
      isAfterCr = byte === CR;
    }
    if (left === 0 && at < chunk.length) {
      isAfterCr = false;
      yield at === 0 ? chunk : chunk.subarray(at);
    }
  }
}
