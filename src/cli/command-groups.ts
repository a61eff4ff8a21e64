import type { Command } from 'commander';

/** How `rowmill --help` orders commands; one that stands nowhere comes under "Commands:". */
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  'To begin:': ['demo', 'init', 'doctor'],
  'To ask:': ['plan', 'run', 'retry', 'cancel'],
  'To look; nothing is sent:': ['status', 'runs', 'bill', 'failures', 'report', 'verify'],
  'To judge the answers:': ['sample', 'eval', 'diff'],
  'Beside it:': ['prices', 'worker', 'simulate', 'schema', 'completion'],
};

/** Puts all commands of a program in groups, the groups in their order. */
export function groupCommands(program: Command): Command {
  const names = Object.values(GROUPS).flat();
  const rank = (command: Command) => (names.includes(command.name()) ? names.indexOf(command.name()) : names.length);
  (program.commands as Command[]).sort((a, b) => rank(a) - rank(b));
  for (const [heading, members] of Object.entries(GROUPS)) {
    for (const command of program.commands) if (members.includes(command.name())) command.helpGroup(heading);
  }
  return program;
}
