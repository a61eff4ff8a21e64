import { UsageError } from '../../core/errors.ts';
import type { JobSource } from '../../core/problem-path.ts';
import type { CompiledJob } from '../../input/compile-job.ts';
import { NO_JSON_WORD } from '../../input/request/json-word.ts';
import type { InputTable } from '../../input/table/read-table.ts';

/**
 * Renders the first rows of a table, a few hundred, and looks for the word JSON in their prompts, which JSON mode requires.
 * @returns a warning that some rows lack it and will be skipped; null if none does
 * @throws UsageError if all lack it
 */
export async function sampleJsonWord(
  { render, leavesJsonWordToRows }: Pick<CompiledJob, 'render' | 'leavesJsonWordToRows'>,
  { table, source, signal }: { readonly table: InputTable; readonly source: JobSource; readonly signal: AbortSignal },
): Promise<string | null> {
  if (!leavesJsonWordToRows) return null;
  for await (const rows of table.readRows(signal)) {
    const rendered = rows.map((row) => render(row));
    const lacking = rendered.filter((one) => one.status === 'skipped' && one.message === NO_JSON_WORD).length;
    if (lacking === 0) return null;
    const isNowhere = rendered.every(({ status }) => status === 'skipped');
    const sample = `of the first ${rows.length} rows`;
    if (isNowhere)
      throw new UsageError([{ place: source.placeOf(['prompt']), message: `prompt: ${NO_JSON_WORD}, and it occurs in none ${sample}` }], {
        code: 'job',
      });
    return `${lacking} ${sample} are skipped: ${NO_JSON_WORD}`;
  }
  return null;
}
