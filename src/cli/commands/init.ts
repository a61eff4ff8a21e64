import { existsSync, statSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { asDiskError } from '../../core/disk/disk-error.ts';
import { EXIT, UsageError } from '../../core/errors.ts';
import { quotePath } from '../../core/wording/quote-argument.ts';
import { JOB_NAME_PATTERN } from '../../input/job/job-schema.ts';
import type { JobFlags, TableFlags } from '../options/flags.ts';
import { programName } from '../program-name.ts';
import { print, printJson, say } from '../say.ts';
import { findSchemaLine } from '../schema-line.ts';

/** `rowmill init`: writes `<name>.yaml` into the working directory; never overwrites a file. A table gets a job that fits it. */
export async function init(argument: string, flags: JobFlags & TableFlags): Promise<number> {
  if (await isTable(argument)) return (await import('./init-table.ts')).initTable(argument, flags);
  const asks = Object.keys(flags).filter((flag) => flag !== 'json');
  if (asks.length > 0) throw new UsageError(`--${asks.join(', --')}: only for a table; name one: ${programName()} init reviews.csv`);
  return initBlank(argument.replace(/\.ya?ml$/i, ''), flags);
}

/** The argument is a name unless a file has that name, or it looks like one. */
async function isTable(argument: string): Promise<boolean> {
  const looksLikeFile = /[*?/\\]|\.(csv|tsv|tab|jsonl?|ndjson|txt|gz|xlsx?|ods|parquet|pdf)$/i.test(argument) || argument === '-';
  if (!looksLikeFile && !(statSync(argument, { throwIfNoEntry: false })?.isFile() ?? false)) return false;
  const { tellArgument } = await import('../job-argument.ts');
  if (tellArgument(argument) === 'table') return true;
  if (!existsSync(argument)) throw new UsageError(`${argument}: no such table`);
  throw new UsageError(`${argument} is a job file already: ${programName()} plan ${quotePath(argument)}`);
}

async function initBlank(name: string, flags: JobFlags): Promise<number> {
  if (!new RegExp(JOB_NAME_PATTERN).test(name)) {
    throw new UsageError(`${JSON.stringify(name)} is not a valid job name: use letters, digits, dots, dashes and underscores, at most 64`);
  }
  const file = `${name}.yaml`;
  try {
    writeFileSync(file, makeJobText(name, findSchemaLine(resolve(file))), { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw asDiskError(error, file);
    throw new UsageError(`${file} exists already; choose another name: ${programName()} init other-name`);
  }
  if (flags.json === true) printJson({ schema: 'rowmill.init/1', file });
  else print(file);
  say(`Name your table and columns in it, then: ${programName()} plan ${file}`);
  say(`For an existing table: ${programName()} init reviews.csv`);
  return EXIT.done;
}

function makeJobText(name: string, schemaLine: string): string {
  return `${schemaLine}name: ${name}
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
  reasoning_effort: none         # it answers at once; with low or more it reasons first, and needs a cap of thousands
  max_output_tokens: 200         # a cap keeps the worst case, and the budget, small
# budget: { usd: 5.00 }          # per run; nothing is sent that could pass it
# pilot: 50                      # so many rows first; the others follow if these went well
# stop_if: { failed: "> 20% of first 200" }   # stop early when something is wrong with all of it
# retry: { attempts: 3 }         # tries per row and run, the first included
write:
  path: ${name}.out.csv
  keep: all                      # the columns to carry over
  # prefix: llm_                 # before every column that is added
# fail_if: { failed_rows: "> 1%", skipped_rows: "> 1%" }   # when a finished run counts as failed (exit 3); default: any failed or skipped row
`;
}
