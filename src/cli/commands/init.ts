import { existsSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { asDiskError } from '../../core/disk/disk-error.ts';
import { EXIT, UsageError } from '../../core/errors.ts';
import { JOB_NAME_PATTERN } from '../../input/job/job-schema.ts';
import type { JobFlags } from '../flags.ts';
import { findPackageRoot } from '../package-root.ts';
import { print, printJson, say } from '../say.ts';

/** `rowmill init`: writes `<name>.yaml` into the working directory; an existing file is left alone. */
export async function init(name: string, flags: JobFlags): Promise<number> {
  if (!new RegExp(JOB_NAME_PATTERN).test(name)) {
    throw new UsageError(`${JSON.stringify(name)} cannot name a job: letters, digits, dot, dash and underscore, 64 at most`);
  }
  const file = `${name}.yaml`;
  try {
    writeFileSync(file, makeJobText(name), { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw asDiskError(error, file);
    throw new UsageError(`${file} exists already; choose another name: rowmill init other-name`);
  }
  if (flags.json === true) printJson({ schema: 'rowmill.init/1', file });
  else print(file);
  say(`Name your table and columns in it, then: rowmill plan ${file}`);
  return EXIT.done;
}

function makeJobText(name: string): string {
  return `${findSchemaLine()}name: ${name}
input:
  path: table.csv                # CSV, TSV, JSONL or JSON; a glob, .gz, or - for standard input
  # id: ticket_id                # the column, or columns, that name a row to a person
model: gpt-6-luna
mode: batch                      # the Batch API: half price, within 24 hours
prompt:
  system: You classify customer messages. Reply in JSON.
  user: |                        # {{ column }} or {{ row["Odd Name"] }}; Liquid filters work
    {{ text }}
output:                          # the answer's fields, each a column of the table that is written
  topic: billing | bug | feature | other
  urgent: boolean
  summary: { type: string, description: one sentence }
params:
  reasoning_effort: none         # it answers at once; with low or more it thinks first: leave it a cap of thousands then
  max_output_tokens: 200         # a cap keeps the worst case, and the budget, small
# budget: { usd: 5.00 }          # per run; nothing is sent that could pass it
# pilot: 50                      # so many rows first; the others follow if these went well
# stop_if: { failed: "> 20% of first 200" }   # stop early when something is wrong with all of it
# retry: { attempts: 3 }         # tries per row and run, the first included
write:
  path: ${name}.out.csv
  keep: all                      # the columns to carry over
  # prefix: llm_                 # before every column that is added
# fail_if: { failed_rows: "> 1%" }   # when a finished run counts as failed (exit 3); default: any failed row
`;
}

/** Lets an editor complete the file from the schema, where the package lies below the working directory. */
function findSchemaLine(): string {
  const schema = relative(process.cwd(), join(findPackageRoot(), 'job.schema.json'));
  return schema.startsWith('..') || !existsSync(schema) ? '' : `# yaml-language-server: $schema=./${schema}\n`;
}
