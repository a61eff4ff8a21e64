import { EXIT, UsageError } from '../../core/errors.ts';
import { listEnvironmentFiles, loadEnvFile } from '../../host/environment.ts';
import { makeEffects } from '../../host/real-effects.ts';
import { escapeLineForTerminal } from '../../output/escape-for-terminal.ts';
import { formatCount, formatSpent, formatThings } from '../../output/format-numbers.ts';
import { type ImportedBatch, importBatches } from '../../upkeep/import/import.ts';
import { makeCallTarget } from '../choose-provider.ts';
import type { JobFlags } from '../options/flags.ts';
import { showCommand } from '../run-options.ts';
import { print, printJson, say } from '../say.ts';

export interface ImportFlags extends JobFlags {
  readonly inputFile?: string;
  readonly outputFile?: string;
  readonly errorFile?: string;
}

/** `rowmill import JOB BATCH_ID…`, or with `--output-file`: answers another program paid for, as far as rows of the job ask the same. */
export async function importInto(jobFile: string, batchIds: readonly string[], flags: ImportFlags): Promise<number> {
  loadEnvFile();
  const { inputFile = null, outputFile = null, errorFile = null } = flags;
  const hasFiles = outputFile !== null || errorFile !== null;
  if (!hasFiles && batchIds.length === 0) throw new UsageError('which batches? Name their ids, or a downloaded file: --output-file FILE');
  if (hasFiles && batchIds.length > 1)
    throw new UsageError('--output-file and --error-file are those of one batch: import the others by themselves');
  const effects = makeEffects();
  const result = await importBatches({
    jobFile,
    overrides: { cwd: process.cwd(), input: flags.input ?? null },
    stateRoot: flags.stateDir ?? null,
    stdin: null,
    target: makeCallTarget(flags, effects),
    environmentFiles: listEnvironmentFiles(),
    effects,
    ...{ batchIds, inputFile, outputFile, errorFile },
    warn: say,
    signal: new AbortController().signal,
  });
  if (flags.json === true) printJson(result);
  else for (const batch of result.batches) print(escapeLineForTerminal(describe(batch)));
  say(`To write the table and send the rows without an answer: ${showCommand('run', jobFile, flags)}`);
  return EXIT.done;
}

function describe({
  id,
  result,
  requests,
  matched,
  failed,
  known,
  foreign,
  malformed,
  nanoUsd,
  foreignNanoUsd,
  unpriced,
}: ImportedBatch): string {
  if (result === 'known') return `${id}  was imported before: nothing was done`;
  const others = foreign === 0 ? '' : `; ${formatCount(foreign)} answer no row of the table, and cost ${formatSpent(foreignNanoUsd, 0)}`;
  const useless = failed === 0 ? '' : `; ${formatCount(failed)} of them have no usable answer`;
  const again = known === 0 ? '' : `; ${formatCount(known)} had been imported before`;
  const broken = malformed === 0 ? '' : `; ${formatThings(malformed, 'line')} cannot be read`;
  return `${id}  ${formatCount(matched)} of ${formatThings(requests, 'request')} imported, ${formatSpent(nanoUsd, unpriced)}${useless}${again}${others}${broken}`;
}
