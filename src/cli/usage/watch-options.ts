import type { Command } from 'commander';

/** Those that say in their own words what is missing. */
const TELLING: ReadonlySet<string> = new Set(['prompt', 'output', 'labels', 'model']);

/**
 * Refuses an option whose value was left out or is empty, as of a variable of the shell that is not set: what follows it would be taken for the
 * value, or the address that was meant for the default. `--prompt --simulate` would ask the API.
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
