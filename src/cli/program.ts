import { Argument, Command, Option } from 'commander';
import { EXIT, UsageError } from '../core/errors.ts';
import { VERSION } from '../core/version.ts';
import { groupCommands } from './command-groups.ts';
import type { Shell } from './commands/completion.ts';
import type { DiffFlags } from './commands/diff.ts';
import type { ProveFlags } from './commands/prove.ts';
import type { ReportFlags } from './commands/report.ts';
import type { SampleFlags } from './commands/sample.ts';
import { parseAmount, parseCount, parsePositive, shareUpTo } from './flag-values.ts';
import type { JobFlags, RunFlags, SimulateFlags, TableFlags, WorkerFlags } from './flags.ts';
import { guard } from './guard.ts';
import { describeUnknownCommand, explainUsage } from './job-argument.ts';
import {
  addRunOptions,
  addTableOptions,
  baseUrlOption,
  causeOption,
  fieldOption,
  freshOption,
  inputOption,
  jsonOption,
  limitOption,
  modeOption,
  priceOption,
  promptsOption,
  retryFailedOption,
  sampleOption,
  seedOption,
  setOption,
  simulateOption,
  stateOption,
} from './options.ts';
import { printFailure } from './report-failure.ts';

/** The command line. Only commander is loaded here; each command loads what it needs when it runs. */
export function makeProgram(): Command {
  const program = new Command('rowmill')
    .description('Run one prompt over every row of a table: through the OpenAI Batch API at half price, or live')
    .version(VERSION)
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .configureHelp({ sortSubcommands: false })
    .configureOutput({ outputError: (text, write) => write(explainUsage(text)) })
    .exitOverride((error) => {
      if (error.exitCode !== 0 && process.argv.includes('--json'))
        printFailure(new UsageError(error.message.replace(/^error: /, '')), EXIT.usage);
      process.exit(error.exitCode === 0 ? 0 : EXIT.usage);
    });

  program.on('command:*', ([word]: [string]) => {
    program.error(
      describeUnknownCommand(
        word,
        program.commands.map((command) => command.name()),
      ),
    );
  });

  program
    .command('demo')
    .description('the tour: example jobs against the built-in simulator; no key, no server')
    .addOption(jsonOption())
    .action(guard(async (flags: JobFlags) => (await import('./commands/demo.ts')).demo(flags)));

  addTableOptions(program.command('init'))
    .argument('[name]', 'a table, whose job is written beside it; or a name for a job to fill in', 'my-job')
    .description('writes a commented job file, for a table or to fill in')
    .addOption(jsonOption())
    .action(guard(async (name: string, flags: JobFlags & TableFlags) => (await import('./commands/init.ts')).init(name, flags)));

  addTableOptions(jobCommand(program, 'plan', 'what a run would do; sends nothing, spends nothing', JOB_OR_TABLE))
    .addOption(modeOption())
    .addOption(limitOption())
    .addOption(sampleOption())
    .addOption(seedOption())
    .addOption(freshOption())
    .addOption(retryFailedOption())
    .addOption(promptsOption())
    .addOption(priceOption())
    .action(guard(async (job: string, flags: RunFlags & TableFlags) => (await import('./commands/plan.ts')).plan(job, flags)));

  const run = addTableOptions(jobCommand(program, 'run', 'does it; also continues it after anything', JOB_OR_TABLE));
  addRunOptions(run, [freshOption(), retryFailedOption()])
    .addHelpText('after', RUN_EXAMPLES)
    .action(guard(async (job: string, flags: RunFlags & TableFlags) => (await import('./commands/run.ts')).run(job, flags)));

  program
    .command('status')
    .argument('[job]', 'the job file; without it, every job below the working directory')
    .description('rows, batches, spend and what the run waits for; from any process, at any time')
    .addOption(inputOption())
    .addOption(stateOption())
    .addOption(baseUrlOption())
    .addOption(simulateOption())
    .addOption(jsonOption())
    .addOption(new Option('--watch', 'show it again every two seconds, until interrupted').conflicts('json'))
    .action(
      guard(async (job: string | undefined, flags: JobFlags & { watch?: boolean }) =>
        (await import('./commands/status.ts')).status(job, flags),
      ),
    );

  program
    .command('runs')
    .argument('[job]', 'the job file; without it, every job below the working directory')
    .description('what was run, when and how it ended, newest first: last, prev, last~2, …')
    .addOption(stateOption())
    .addOption(baseUrlOption())
    .addOption(simulateOption())
    .addOption(jsonOption())
    .action(guard(async (job: string | undefined, flags: JobFlags) => (await import('./commands/runs.ts')).runs(job, flags)));

  jobCommand(program, 'failures', 'failed rows by cause, with an example and the command that tries them again')
    .option('--row <id>', 'prompt, raw answers and errors of one row')
    .option('--csv <path>', 'writes all failed rows as a table')
    .action(
      guard(async (job: string, flags: JobFlags & { row?: string; csv?: string }) =>
        (await import('./commands/failures.ts')).failures(job, flags),
      ),
    );

  const retry = jobCommand(program, 'retry', 'opens failed rows again and runs them; nothing old is dropped until its retry succeeds');
  addRunOptions(retry, [causeOption(), setOption()]).action(
    guard(async (job: string, flags: RunFlags & { cause?: readonly string[]; set: readonly string[] }) =>
      (await import('./commands/retry.ts')).retry(job, flags),
    ),
  );

  jobCommand(program, 'report', 'the summary again')
    .option('--run <id>', 'of an earlier run: its id, prev or last~2')
    .option('--html <path>', 'writes the page again: one offline file')
    .option('--gold <column|file>', 'with --html: the right answers, for accuracy and confusion matrix')
    .addOption(fieldOption())
    .addOption(new Option('--summary <size>', 'how much').choices(['short', 'full']).default('short'))
    .addOption(priceOption())
    .action(guard(async (job: string, flags: ReportFlags) => (await import('./commands/report.ts')).report(job, flags)));

  program
    .command('prices')
    .argument('[model]', 'one model with all its rules; without it, every model with tiers of its own')
    .description('what a token costs and why: prices.yaml here, then the built-in lists')
    .addOption(priceOption())
    .addOption(jsonOption())
    .action(
      guard(async (model: string | undefined, flags: { json?: boolean; priceAsOf?: string }) =>
        (await import('./commands/prices.ts')).prices(model, flags),
      ),
    );

  jobCommand(program, 'eval', 'answers against the right ones: accuracy, precision, recall, F1, confusion matrix')
    .requiredOption('--gold <column|file>', 'the right answers: a column of the table, or a file such as a marked sample')
    .addOption(fieldOption())
    .action(
      guard(async (job: string, flags: JobFlags & { gold: string; field?: string }) =>
        (await import('./commands/eval.ts')).evaluate(job, flags),
      ),
    );

  jobCommand(program, 'sample', 'writes a sheet of rows for a person to mark, for eval; marks already made stay')
    .option('-n, --rows <n>', 'how many rows', parsePositive, 50)
    .addOption(seedOption())
    .option('--by <column>', 'rows of each value of this column, in proportion')
    .addOption(fieldOption())
    .action(guard(async (job: string, flags: SampleFlags) => (await import('./commands/sample.ts')).sample(job, flags)));

  jobCommand(program, 'diff', 'what changed between two runs, row by row, in quality and in cost')
    .argument('<a>', 'the earlier run: its id, prev or last~2')
    .argument('<b>', 'the later run: its id or last')
    .option('--gold <column|file>', 'the right answers, to compare the quality of both runs')
    .addOption(fieldOption())
    .option('--csv <path>', 'writes every row that is not the same as a table')
    .option('--html <path>', 'writes the report of the later run with this comparison: one offline file')
    .action(
      guard(async (job: string, runA: string, runB: string, flags: DiffFlags) =>
        (await import('./commands/diff.ts')).diff(job, runA, runB, flags),
      ),
    );

  jobCommand(program, 'cancel', 'cancels the batches at the provider; the run keeps and collects what they finished').action(
    guard(async (job: string, flags: JobFlags) => (await import('./commands/cancel.ts')).cancel(job, flags)),
  );

  jobCommand(program, 'verify', 'derives everything again from the state directory and checks the identities').action(
    guard(async (job: string, flags: JobFlags) => (await import('./commands/verify.ts')).verify(job, flags)),
  );

  program
    .command('worker')
    .description('makes live calls for runs that share its Redis; any number, on any host')
    .option('--redis <url>', 'the Redis to take calls from (also REDIS_URL)')
    .option('--concurrency <n>', 'calls under way at once, per model', parsePositive, 16)
    .action(guard(async (flags: WorkerFlags) => (await import('./commands/worker.ts')).worker(flags)));

  program
    .command('simulate')
    .description('the local OpenAI server by itself, for any OpenAI client')
    .option('--port <n>', 'listen here; 0 takes a free port', parseCount, 0)
    .option('--state <dir>', 'keep files, batches and bill here, and continue from them')
    .option('--bill <file>', 'one JSON line per billed attempt')
    .option('--trace <file>', 'one JSON line per request')
    .option('--faults <file>', 'a fault plan; see docs/simulator.md')
    .option('--seed <n>', 'the seed of everything drawn by chance', parseCount, 0)
    .addOption(
      new Option('--answers <how>', 'lifelike: made from the words of the row; plain: as little as will do')
        .choices(['lifelike', 'plain'])
        .default('lifelike')
        .env('ROWMILL_SIMULATE_ANSWERS'),
    )
    .addOption(
      new Option('--noise <share>', 'of prompts asked twice that get two different answers')
        .argParser(shareUpTo(0.5))
        .default(0)
        .env('ROWMILL_SIMULATE_NOISE'),
    )
    .addOption(
      new Option('--degrade <share>', 'of prompts that get another answer than the best: a worse model')
        .argParser(shareUpTo(1))
        .default(0)
        .env('ROWMILL_SIMULATE_DEGRADE'),
    )
    .option('--batch-seconds <s>', 'how long a batch takes', parseAmount)
    .option('--latency <ms>', 'how long a live call takes', parseAmount)
    .option('--rpm <n>', 'requests per minute', parseCount)
    .option('--tpm <n>', 'tokens per minute', parseCount)
    .option('--enqueued-tokens <n>', 'enqueued tokens per model', parseCount)
    .addOption(jsonOption())
    .action(guard(async (flags: SimulateFlags) => (await import('./commands/simulate.ts')).simulate(flags)));

  program
    .command('prove')
    .description('attacks every promise against the built-in simulator: kills, failing disks, lost answers, two runs at once')
    .option('--seconds <n>', 'how long at least; each promise is attacked a few times in any case', parsePositive, 60)
    .option('--seed <n>', 'where the dice begin; a break names the one that repeats it', parseCount, 1)
    .option('--only <name>', 'one promise alone')
    .option('--redis <url>', 'also over this Redis; its databases 1 to 14 must be empty, and are emptied')
    .addOption(jsonOption())
    .action(guard(async (flags: ProveFlags) => (await import('./commands/prove.ts')).prove(flags)));

  program
    .command('doctor')
    .argument('[job]', 'also check this job: its model and the price of it')
    .description('checks node, disk, key, model list, prices and clock')
    .addOption(stateOption())
    .addOption(baseUrlOption())
    .addOption(simulateOption())
    .addOption(jsonOption())
    .action(guard(async (job: string | undefined, flags: JobFlags) => (await import('./commands/doctor.ts')).doctor(job, flags)));

  program
    .command('schema')
    .description("the job file's JSON Schema")
    .action(guard(async () => (await import('./commands/schema.ts')).schema()));

  program
    .command('completion')
    .addArgument(new Argument('<shell>', 'which one').choices(['bash', 'zsh', 'fish']))
    .description('what a shell needs to complete what is typed: source <(rowmill completion bash)')
    .action(guard(async (shell: Shell) => (await import('./commands/completion.ts')).completion(shell)));

  program
    .command('complete', { hidden: true })
    .argument('[words...]')
    .action(guard(async (words: readonly string[]) => (await import('./commands/completion.ts')).complete(words, program)));

  return groupCommands(program);
}

const RUN_EXAMPLES = `
Examples:
  rowmill run reviews.csv --prompt 'Is it good?' --output 'good: yes | no'
                                             a table without a job file
  rowmill run job.yaml --sample 50           fifty rows first, to look at
  rowmill run job.yaml --max-usd 20 --yes    all rows, for $20 at most
  rowmill run job.yaml --no-wait             leave when all is sent; run it again
                                             to collect the answers`;

/** What `plan` and `run` take beside a job. */
const JOB_OR_TABLE = 'the job file; or a table, asked as the flags say';

function jobCommand(program: Command, name: string, description: string, job = 'the job file'): Command {
  return program
    .command(name)
    .argument('<job>', job)
    .description(description)
    .addOption(inputOption())
    .addOption(stateOption())
    .addOption(baseUrlOption())
    .addOption(simulateOption())
    .addOption(jsonOption());
}
