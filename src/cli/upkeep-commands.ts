import type { Command } from 'commander';
import type { CleanFlags } from './commands/clean.ts';
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
}
