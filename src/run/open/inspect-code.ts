import type { LoadedJob } from '../../input/job/load-job.ts';
import type { CodePrompts } from '../../input/request/code-prompts.ts';
import type { InputTable } from '../../input/table/read-table.ts';

/** How many rows a program's functions are tried on. */
const FIRST_ROWS = 32;

/** Tries a program's replacements for templates and JSON Schema before anything is sent. @throws UsageError if they cannot be used */
export async function inspectCode(
  { code }: LoadedJob,
  { table, prompts, signal }: { readonly table: InputTable; readonly prompts: CodePrompts | null; readonly signal: AbortSignal },
): Promise<void> {
  if (code === undefined) return;
  for await (const rows of table.readRows(signal)) {
    const shown = prompts === null ? [] : rows.slice(0, FIRST_ROWS).map(prompts.makeRow);
    // Awaited here: leaving the loop first closes the table, and a rejection meanwhile would be nobody's.
    await code.inspect(shown, signal);
    return;
  }
}
