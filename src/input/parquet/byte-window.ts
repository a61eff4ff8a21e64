import type { FileHandle } from 'node:fs/promises';

/** A part of a file that is read forward, one stretch at a time. */
export interface ByteWindow {
  /** This many bytes from the current position, fewer only at the end of the file. They stay unchanged when it moves on. */
  peek(bytes: number): Promise<Buffer>;
  skip(bytes: number): void;
}

export function createByteWindow(handle: FileHandle, start: number, stretchBytes: number): ByteWindow {
  let held: Buffer = Buffer.alloc(0);
  let position = start;
  return {
    async peek(bytes) {
      if (held.length < bytes) {
        // The returned bytes may still be in use: every stretch has its own memory.
        const stretch = Buffer.allocUnsafeSlow(Math.max(bytes, stretchBytes));
        held.copy(stretch);
        let filled = held.length;
        while (filled < stretch.length) {
          const { bytesRead } = await handle.read(stretch, filled, stretch.length - filled, position + filled);
          if (bytesRead === 0) break;
          filled += bytesRead;
        }
        held = stretch.subarray(0, filled);
      }
      return held;
    },
    skip(bytes) {
      held = held.subarray(bytes);
      position += bytes;
    },
  };
}
