import { once } from 'node:events';
import { createWriteStream, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The rows of the live proof and bench: as a table with its job, and as bodies for scripts that know neither. */

export const LIVE_MODEL = 'gpt-4o-mini';
const WORDS =
  'parcel late box open stairs bell invoice battery screen colour refund broke after two days please send new one thanks small size fits well'.split(
    ' ',
  );

/** About 60 words; every row is distinct. */
export function makeLiveText(row: number): string {
  const words = Array.from({ length: 60 }, (_, index) => WORDS[(row * 7 + index * (1 + (row % 5))) % WORDS.length]);
  return `${words.join(' ')} number ${row}`;
}

export function makeLiveBody(text: string, capTokens: number) {
  return { model: LIVE_MODEL, messages: [{ role: 'user' as const, content: text }], max_completion_tokens: capTokens };
}

export interface LiveJob {
  readonly rows: number;
  readonly capTokens: number;
  /** Lines of the job file beside the usual ones. */
  readonly lines?: string;
}

/** Writes `job.yaml` and `table.csv` into the folder. */
export async function writeLiveJob(folder: string, { rows, capTokens, lines = '' }: LiveJob): Promise<void> {
  writeFileSync(
    join(folder, 'job.yaml'),
    `name: live
input: { path: table.csv, id: id }
model: ${LIVE_MODEL}
mode: live
prompt: "{{ text }}"
output: text
params: { max_output_tokens: ${capTokens} }
write: { path: out.csv, keep: [id] }
${lines}`,
  );
  const table = createWriteStream(join(folder, 'table.csv'));
  table.write('id,text\n');
  for (let row = 0; row < rows; row += 1) {
    if (!table.write(`${row},${makeLiveText(row)}\n`)) await once(table, 'drain');
  }
  table.end();
  await once(table, 'close');
}
