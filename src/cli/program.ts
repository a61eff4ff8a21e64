import { Command, CommanderError } from 'commander';
import { VERSION } from '../core/version.ts';

/** What there is to type, as `rowmill --help` shows it; define-commands.ts says what each takes and does. */
const COMMANDS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'To begin:': {
    demo: 'the tour: example jobs against the built-in simulator; no key, no server',
    init: 'writes a commented job file, for a table or to fill in',
    doctor: 'checks node, disk, key, model list, prices and clock',
  },
  'To ask:': {
    plan: 'what a run would do; sends nothing, spends nothing',
    run: 'does it; also continues it after anything',
    retry: 'opens failed rows again and runs them; nothing old is dropped until its retry succeeds',
    cancel: 'cancels the batches at the provider; the run keeps and collects what they finished',
    import: 'takes in the answers of batches another program made; sends nothing that costs',
  },
  'To look; nothing is sent:': {
    status: 'rows, batches, spend and what the run waits for; from any process, at any time',
    runs: 'what was run, when and how it ended, newest first: last, prev, last~2, …',
    bill: 'what all jobs below a folder cost, from their ledgers; their job files may be gone',
    failures: 'failed rows by cause, with an example and the command that tries them again',
    report: 'the summary again',
    verify: 'derives everything again from the state directory and checks the identities',
  },
  'To judge the answers:': {
    sample: 'writes a sheet of rows for a person to mark, for eval; marks already made stay',
    eval: 'answers against the right ones: accuracy, precision, recall, F1, confusion matrix',
    diff: 'what changed between two runs, row by row, in quality and in cost',
  },
  'Beside it:': {
    clean: 'what is of no more use: shows it, and removes it when that is wanted',
    prices: 'what a token costs and why: prices.yaml here, then the built-in lists',
    worker: 'makes live calls for runs that share its Redis; any number, on any host',
    simulate: 'the local OpenAI server by itself, for any OpenAI client',
    prove: 'attacks every promise against the built-in simulator: kills, failing disks, lost answers, two runs at once',
    schema: "the job file's JSON Schema",
    completion: 'what a shell needs to complete what is typed: source <(rowmill completion bash)',
  },
};
/** Typed by shells and by mistake. */
const HIDDEN = ['complete', '*'];

/** The command line: names alone, until one is typed. Only commander is loaded here; each command loads what it needs when it runs. */
export function makeProgram(): Command {
  const program = new Command('rowmill')
    .description('Run one prompt over every row of a table: through the OpenAI Batch API at half price, or live')
    .version(VERSION)
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .configureHelp({ sortSubcommands: false, subcommandTerm: (command) => command.name() })
    .configureOutput({ outputError: () => {} })
    .exitOverride()
    .hook('preSubcommand', async (_, command) => {
      (await import('./define-commands.ts')).defineCommand(command);
    });
  for (const [heading, members] of Object.entries(COMMANDS)) {
    for (const [name, description] of Object.entries(members)) program.command(name).description(description).helpGroup(heading);
  }
  for (const name of HIDDEN) program.command(name, { hidden: true });
  return program;
}

/** Runs what is typed; `argv` as Node has it. Sets the exit code of the process. */
export async function runProgram(argv: readonly string[]): Promise<void> {
  const [node = '', path = '', ...typed] = argv;
  const [first, name] = typed;
  const program = makeProgram();
  try {
    // Commander shows the help of a command by itself, before it is defined.
    const isKnown = program.commands.some((other) => other.name() === name);
    const asked = first !== 'help' || name === undefined ? typed : [name, ...(isKnown ? ['--help'] : [])];
    await program.parseAsync([node, path, ...asked]);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    const command = program.commands.find((one) => one.name() === first) ?? program;
    const isJson = typed.includes('--json');
    process.exitCode = error.exitCode === 0 ? 0 : (await import('./report-failure.ts')).reportMistyped(error, { command, isJson });
  }
}
