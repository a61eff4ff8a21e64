import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { onDiskLater } from '../../core/disk/disk-error.ts';
import { untilAborted } from '../../core/disk/until-aborted.ts';
import type { ResponseFile } from '../response-file.ts';

/** Whether a recorded file, or part of a live one, still has its recorded bytes. It is read as a whole: about a second per gigabyte. */
export function hasRecordedBytes(
  path: string,
  { offsetBytes, bytes }: Pick<ResponseFile, 'offsetBytes' | 'bytes'>,
  { sha256, signal }: { readonly sha256: string; readonly signal: AbortSignal },
): Promise<boolean> {
  const digest = createHash('sha256');
  return onDiskLater(path, async () => {
    if (bytes > 0) {
      const open = () => createReadStream(path, { start: offsetBytes, end: offsetBytes + bytes - 1, highWaterMark: 1 << 20, signal });
      for await (const chunk of untilAborted(open, signal)) digest.update(chunk as Buffer);
    }
    return digest.digest('hex') === sha256;
  });
}
