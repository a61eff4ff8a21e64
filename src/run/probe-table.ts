import { stat } from 'node:fs/promises';
import { probeRoom } from '../output/probe-room.ts';
import type { PreparedJob } from './open/prepared-job.ts';
import type { SelectedRows } from './open/selection.ts';

/** Of a larger table so much is tried: it takes a tenth of a second, and a disk that has it is at least not full. */
const MAX_PROBED_BYTES = 1 << 26;
/** What a row's answer and figures take beside its cells, roughly. */
const FEW_BYTES = 1 << 16;

/**
 * Before anything is paid for: whether the disk of the table has room for one as large as the input, of rows that were picked for a few.
 * @throws DiskError
 */
export async function probeTable({ compiled, table }: PreparedJob, selected: Pick<SelectedRows, 'isAll'>): Promise<void> {
  const sizes = await Promise.all(
    table.files.map((file) =>
      stat(file)
        .then(({ size }) => size)
        .catch(() => 0),
    ),
  );
  const bytes = selected.isAll ? sizes.reduce((sum, size) => sum + size, FEW_BYTES) : FEW_BYTES;
  await probeRoom(compiled.job.write.path, Math.min(bytes, MAX_PROBED_BYTES));
}
