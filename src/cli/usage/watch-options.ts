import type { Command } from 'commander';

/** Options with their own message for a missing value. */
const TELLING: ReadonlySet<string> = new Set(['prompt', 'output', 'labels', 'model']);

/**
 * Refuses an option whose value is missing or empty, for example from an unset shell variable: the next word would be taken for the
 * value, or the default for the intended address. `--prompt --simulate` would ask the API.
 */
export function watchOptions(command: Command): Command {
  const flags = new Set(command.options.flatMap(({ long, short }) => [long, short]));
  for (const option of command.options) {
    if (!option.required) continue;
    command.on(`option:${option.name()}`, (value: string) => {
      if (flags.has(value)) command.error(`error: option '${option.flags}' argument missing before ${value}`);
      if (value.trim() === '' && !TELLING.has(option.name()))
        command.error(`error: option '${option.flags}' argument is empty. Pass a value, or leave the option out.`);
    });
  }
  return command;
}
