import { Command, CommanderError } from 'commander';
import { VERSION } from '../core/version.ts';
import { makeHelpOutput } from './usage/help-output.ts';

/** The commands, as `rowmill --help` lists them; define-commands.ts has their arguments and actions. */
const COMMANDS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'To begin:': {
    demo: 'a tour of example jobs against the built-in simulator; no key, no server',
    init: 'writes a commented job file, for a table or to fill in',
    doctor: 'checks Node, disk, key, model list, prices and clock',
  },
  'To run:': {
    plan: 'shows what a run would do and cost; sends nothing',
    run: 'runs the job, or resumes it after an interruption',
    retry: 'retries failed rows; the old result is kept until the retry succeeds',
    cancel: 'cancels batches at the provider; what they finished is kept and collected',
    import: 'imports the answers of batches that another program created; sends nothing that costs money',
  },
  'To look (nothing is sent):': {
    status: 'rows, batches, spend and what the run is waiting for; from any terminal, at any time',
    runs: 'lists runs, newest first; last, prev and last~2 name them in other commands',
    bill: 'what all jobs below a folder cost, by their ledgers',
    failures: 'failed rows by cause, with an example and the command to retry them',
    report: 'prints the summary again, or writes its page',
    verify: 'recomputes everything from the state directory and checks that it adds up',
  },
  'To judge the answers:': {
    sample: 'draws rows into a sheet to label by hand, for eval',
    eval: 'compares answers with the right ones: accuracy, precision, recall, F1, confusion matrix',
    diff: 'compares two runs row by row: answers, quality and cost',
  },
  'Other:': {
    clean: 'shows what is no longer needed, and removes it if you agree',
    prices: 'what a token costs and why: your prices.yaml, then the built-in lists',
    worker: 'makes live calls for runs that share its Redis; start any number, on any host',
    simulate: 'runs the simulator on its own, for any OpenAI client',
    prove: 'attacks every promise against the simulator: kills, failing disks, lost answers',
    schema: 'prints the JSON Schema of job files',
    completion: 'prints a script that completes commands in bash, zsh or fish',
  },
};
/** Used by shells and by mistake. */
const HIDDEN = ['complete', '*'];

/**
 * The command line: only names until one is typed. Only commander is loaded here; each command loads what it needs when it runs.
 * @param begin called before anything except help and version that do not go to a terminal; may be called again
 */
export function makeProgram(begin: () => void = () => {}): Command {
  const program = new Command('rowmill')
    .description('Run one prompt over every row of a table: through the OpenAI Batch API at half price, or live')
    .version(VERSION)
    .enablePositionalOptions()
    .showSuggestionAfterError(false)
    .configureHelp({ sortSubcommands: false, subcommandTerm: (command) => command.name() })
    .configureOutput({ outputError: () => {}, ...makeHelpOutput(begin) })
    .exitOverride()
    .hook('preSubcommand', async (_, command) => {
      begin();
      (await import('./engine.ts')).beginCommand(command.name());
      (await import('./define-commands.ts')).defineCommand(command);
    });
  for (const [heading, members] of Object.entries(COMMANDS)) {
    for (const [name, description] of Object.entries(members)) program.command(name).description(description).helpGroup(heading);
  }
  program.commandsGroup('Other:').helpCommand(true);
  for (const name of HIDDEN) program.command(name, { hidden: true });
  return program;
}

/** Runs the command line; `argv` as in Node. Sets the exit code of the process. `begin` is called before anything but help and version. */
export async function runProgram(argv: readonly string[], begin?: () => void): Promise<void> {
  const [node = '', path = '', ...typed] = argv;
  const [first, name] = typed;
  const program = makeProgram(begin);
  try {
    // Commander shows the help of a command itself, before it is defined.
    const isKnown = program.commands.some((other) => other.name() === name);
    const asked = first !== 'help' || name === undefined ? typed : [name, ...(isKnown ? ['--help'] : [])];
    await program.parseAsync([node, path, ...asked]);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    const command = program.commands.find((one) => one.name() === first) ?? program;
    const isJson = typed.includes('--json');
    if (error.exitCode !== 0) begin?.();
    process.exitCode = error.exitCode === 0 ? 0 : (await import('./report-failure.ts')).reportMistyped(error, { command, isJson });
  }
}
