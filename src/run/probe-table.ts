import { stat } from 'node:fs/promises';
import { probeRoom } from '../output/probe-room.ts';
import type { PreparedJob } from './open/prepared-job.ts';
import type { SelectedRows } from './open/selection.ts';

/** The maximum that is tried for a larger table: it takes a tenth of a second, and shows that the disk is at least not full. */
const MAX_PROBED_BYTES = 1 << 26;
/** What a row's answer and figures take besides its cells, roughly. */
const FEW_BYTES = 1 << 16;

/**
 * Before anything is paid for: checks whether the disk of the table has room for one as large as the input, or less if only some rows were selected.
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
