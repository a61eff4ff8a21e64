import { type Command, Option } from 'commander';
import type { CleanFlags } from './commands/clean.ts';
import type { ImportFlags } from './commands/import.ts';
import type { VerifyFlags } from './commands/verify.ts';
import { guard } from './guard.ts';
import { baseUrlOption, inputOption, JOB_OR_FOLDER, jsonOption, olderOption, simulateOption, stateOption } from './options/options.ts';

/** Commands for maintenance that do not call a model. */
export const UPKEEP_COMMANDS: Readonly<Record<string, (command: Command) => Command>> = {
  clean: (command) =>
    addPlaces(command.argument('[job]', JOB_OR_FOLDER))
      .addOption(olderOption())
      .option('--remote', 'also our files at the provider, once they are collected')
      .option('--answers', 'the answers too, after showing what sending the rows again would cost; all costs stay on the books')
      .option('--yes', 'do not ask')
      .action(guard(async (job: string | undefined, flags: CleanFlags) => (await import('./commands/clean.ts')).cleanJobs(job, flags))),
  import: (command) =>
    addPlaces(command.argument('<job>', 'the job file'))
      .argument('[batches...]', 'ids of batches that another program created')
      .option('--input-file <file>', 'what the batch asked, if the provider no longer has it')
      .option('--output-file <file>', 'its answers, if you have them: the provider is not contacted')
      .option('--error-file <file>', 'its errors, if you have them')
      .action(
        guard(async (job: string, batches: readonly string[], flags: ImportFlags) =>
          (await import('./commands/import.ts')).importInto(job, batches, flags),
        ),
      ),
  verify: (command) =>
    addPlaces(command.argument('[job]', JOB_OR_FOLDER))
      .addOption(new Option('--all <dir>', 'the same as naming the folder: one line for each job that has been run'))
      .action(guard(async (job: string | undefined, flags: VerifyFlags) => (await import('./commands/verify.ts')).verify(job, flags))),
};

function addPlaces(command: Command): Command {
  return [inputOption(), stateOption(), baseUrlOption(), simulateOption(), jsonOption()].reduce((all, one) => all.addOption(one), command);
}
