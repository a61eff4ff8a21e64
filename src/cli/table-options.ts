import { type Command, Option } from 'commander';
import { collect, parseLabels } from './flag-values.ts';

/** What a table that has no job file is asked. */
export function addTableOptions(command: Command): Command {
  return command
    .option('--prompt <text>', 'of a table: what to do with each row; {{ column }} puts a cell in')
    .addOption(
      new Option('--output <field>', "of a table: what to answer, as 'sentiment: good | bad', or text; may be repeated").argParser(
        (field: string, fields: readonly string[] = []) => collect(field, fields),
      ),
    )
    .option('--labels <list>', 'of a table: the answers there are, separated by commas', parseLabels)
    .option('--model <name>', 'of a table: which model is asked');
}
