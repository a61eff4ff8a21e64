import type { Command } from 'commander';
import type { CleanFlags } from './commands/clean.ts';
import type { ImportFlags } from './commands/import.ts';
import { guard } from './guard.ts';
import { baseUrlOption, inputOption, jsonOption, olderOption, simulateOption, stateOption } from './options.ts';

/** Commands that change a state directory and ask no model. */
export function addUpkeepCommands(program: Command): void {
  program
    .command('clean')
    .argument('[job]', 'the job file; without it, every job below the working directory')
    .description('what is of no more use: shows it, and removes it when that is wanted')
    .addOption(olderOption())
    .option('--remote', 'our files at the provider too, once they are collected')
    .option('--answers', 'the answers too: says what asking again would cost; what was paid stays in every sum')
    .option('--yes', 'do not ask')
    .addOption(inputOption())
    .addOption(stateOption())
    .addOption(baseUrlOption())
    .addOption(simulateOption())
    .addOption(jsonOption())
    .action(guard(async (job: string | undefined, flags: CleanFlags) => (await import('./commands/clean.ts')).cleanJobs(job, flags)));

  program
    .command('import')
    .argument('<job>', 'the job file')
    .argument('[batches...]', 'ids of batches at the provider that another program made')
    .description('takes in the answers of batches another program made; sends nothing that costs')
    .option('--input-file <file>', 'what the batch asked, where the provider has it no more')
    .option('--output-file <file>', 'its answers, at hand: the provider is not asked')
    .option('--error-file <file>', 'its errors, at hand')
    .addOption(inputOption())
    .addOption(stateOption())
    .addOption(baseUrlOption())
    .addOption(simulateOption())
    .addOption(jsonOption())
    .action(
      guard(async (job: string, batches: readonly string[], flags: ImportFlags) =>
        (await import('./commands/import.ts')).importInto(job, batches, flags),
      ),
    );
}
