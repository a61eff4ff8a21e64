import fs from 'node:fs';
import { forEachLine, readLineChunks } from './disk/read-lines.ts';
import type { BatchState } from './events/fold.ts';
import type { ResponseFile } from './response-file.ts';
import type { SettledIndex } from './responses/settled-index.ts';

/** The custom ids with lines in a batch's recorded files. */
export async function readAnsweredIds(
  batch: BatchState,
  files: readonly ResponseFile[],
  settled: SettledIndex,
): Promise<ReadonlySet<string>> {
  const names = new Set(files.filter(({ batchId }) => batchId === batch.id).map(({ name }) => name));
  const answered = new Set<string>();
  if (names.size === 0) return answered;
  for await (const records of settled.recordsOfRun(batch.run)) {
    for (const { customId, location } of records) if (names.has(location.file)) answered.add(customId);
  }
  return answered;
}

const CUSTOM_ID = /^\{"custom_id":"([^"\\]{1,64})"/;

/** Bytes of these requests' lines in a shard's input file: no more tokens were sent. @returns null if the file is gone */
export async function measureRequests(file: string, customIds: readonly string[], signal: AbortSignal): Promise<number | null> {
  if (!fs.existsSync(file)) return null;
  const wanted = new Set(customIds);
  let bytes = 0;
  for await (const chunk of readLineChunks(file, { signal })) {
    forEachLine(chunk.bytes, (start, stop) => {
      const head = chunk.bytes.toString('latin1', start, Math.min(stop, start + 96));
      if (wanted.has(CUSTOM_ID.exec(head)?.[1] ?? '')) bytes += stop - start;
    });
  }
  return bytes;
}
