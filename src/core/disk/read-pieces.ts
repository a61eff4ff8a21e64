import { open } from 'node:fs/promises';

/**
 * Streams a file's bytes. The next piece is read while one is worked on; both are always the same memory, so that reading leaves nothing to collect.
 * A piece is valid until the next one is requested: copy what has to last.
 */
export async function* readPieces(path: string, pieceBytes: number): AsyncGenerator<Buffer> {
  const handle = await open(path);
  try {
    const wanted = Math.min(pieceBytes, (await handle.stat()).size + 1);
    let [memory, spare] = [Buffer.allocUnsafeSlow(wanted), Buffer.allocUnsafeSlow(wanted)];
    let reading = handle.read(memory);
    for (let { bytesRead } = await reading; bytesRead > 0; { bytesRead } = await reading) {
      [memory, spare] = [spare, memory];
      reading = handle.read(memory);
      // It is awaited later, or not at all.
      reading.catch(() => undefined);
      yield spare.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}
