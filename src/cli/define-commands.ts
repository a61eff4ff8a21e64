import { Argument, type Command, Option } from 'commander';
import type { BillFlags } from './bill/bill.ts';
import type { Shell } from './commands/completion.ts';
import type { DiffFlags } from './commands/diff.ts';
import type { EvalFlags } from './commands/eval.ts';
import type { ProveFlags } from './commands/prove.ts';
import type { ReportFlags } from './commands/report.ts';
import type { SampleFlags } from './commands/sample.ts';
import { guard } from './guard.ts';
import { describeUnknownCommand } from './job-argument.ts';
import { parseAmount, parseCount, parseDate, parsePort, parsePositive, shareUpTo } from './options/flag-values.ts';
import type { JobFlags, RunFlags, SimulateFlags, TableFlags, WorkerFlags } from './options/flags.ts';
import {
  addRunOptions,
  addTableOptions,
  baseUrlOption,
  causeOption,
  deadlineOption,
  fieldOption,
  freshOption,
  inputOption,
  JOB_OR_FOLDER,
  jsonOption,
  limitOption,
  maxLiveOption,
  maxUsdOption,
  modeOption,
  outOption,
  priceOption,
  promptsOption,
  retryFailedOption,
  sampleOption,
  seedOption,
  setOption,
  simulateOption,
  stateOption,
} from './options/options.ts';
import { UPKEEP_COMMANDS } from './upkeep-commands.ts';
import { describeUnknown } from './usage/explain-usage.ts';
import { watchOptions } from './usage/watch-options.ts';

/** The arguments, options and action of each command. Its module is loaded when it runs. */
const DEFINITIONS: Readonly<Record<string, (command: Command) => Command>> = {
  ...UPKEEP_COMMANDS,
  demo: (command) =>
    command.addOption(jsonOption()).action(guard(async (flags: JobFlags) => (await import('./commands/demo.ts')).demo(flags))),
  init: (command) =>
    addTableOptions(command)
      .argument('[name]', 'a table, whose job file is written next to it; or a name for a job file to fill in', 'my-job')
      .addOption(jsonOption())
      .action(guard(async (name: string, flags: JobFlags & TableFlags) => (await import('./commands/init.ts')).init(name, flags))),
  plan: (command) =>
    addTableOptions(addJobOptions(command, JOB_OR_TABLE))
      .addOption(modeOption())
      .addOption(limitOption())
      .addOption(sampleOption())
      .addOption(seedOption())
      .addOption(freshOption())
      .addOption(retryFailedOption())
      .addOption(promptsOption())
      .addOption(maxUsdOption())
      .addOption(priceOption())
      .addOption(deadlineOption())
      .addOption(maxLiveOption())
      .addOption(outOption())
      .action(guard(async (job: string, flags: RunFlags & TableFlags) => (await import('./commands/plan.ts')).plan(job, flags))),
  run: (command) =>
    addRunOptions(addTableOptions(addJobOptions(command, JOB_OR_TABLE)), [freshOption(), retryFailedOption()])
      .addHelpText('after', RUN_EXAMPLES)
      .action(guard(async (job: string, flags: RunFlags & TableFlags) => (await import('./commands/run.ts')).run(job, flags))),
  status: (command) =>
    command
      .argument('[job]', JOB_OR_FOLDER)
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
      ),
  runs: (command) =>
    command
      .argument('[job]', JOB_OR_FOLDER)
      .addOption(stateOption())
      .addOption(baseUrlOption())
      .addOption(simulateOption())
      .addOption(jsonOption())
      .action(guard(async (job: string | undefined, flags: JobFlags) => (await import('./commands/runs.ts')).runs(job, flags))),
  bill: (command) =>
    command
      .argument('[folder]', 'the folder with the jobs', '.')
      .option('--since <date>', 'from this day on (YYYY-MM-DD, UTC)', parseDate)
      .option('--until <date>', 'up to and including this day', parseDate)
      .addOption(new Option('--by <what>', 'a line for each').choices(['job', 'model', 'day', 'lane', 'month']))
      .option('--csv <path>', 'also write a table: a line for each job, model, lane and day, or as --by says')
      .addOption(stateOption())
      .addOption(baseUrlOption())
      .addOption(simulateOption())
      .addOption(jsonOption())
      .action(guard(async (folder: string, flags: BillFlags) => (await import('./bill/bill.ts')).bill(folder, flags))),
  failures: (command) =>
    addJobOptions(command)
      .option('--row <id>', 'prompt, raw answers and errors of one row')
      .option('--csv <path>', 'writes all failed rows as a table')
      .action(
        guard(async (job: string, flags: JobFlags & { row?: string; csv?: string }) =>
          (await import('./commands/failures.ts')).failures(job, flags),
        ),
      ),
  retry: (command) =>
    addRunOptions(addJobOptions(command), [causeOption(), setOption()]).action(
      guard(async (job: string, flags: RunFlags & { cause?: readonly string[]; set?: readonly string[] }) =>
        (await import('./commands/retry.ts')).retry(job, flags),
      ),
    ),
  report: (command) =>
    addJobOptions(command)
      .option('--run <id>', 'of an earlier run: its id, prev or last~2')
      .option('--html <path>', 'writes the page again: one offline file')
      .option('--gold <column|file>', 'with --html: the right answers, for accuracy and confusion matrix')
      .addOption(fieldOption())
      .addOption(new Option('--summary <size>', 'how much').choices(['short', 'full']).default('short'))
      .addOption(priceOption())
      .action(guard(async (job: string, flags: ReportFlags) => (await import('./commands/report.ts')).report(job, flags))),
  prices: (command) =>
    command
      .argument('[model]', 'show everything about one model; by default, all models with their own tiers')
      .addOption(priceOption())
      .addOption(jsonOption())
      .action(
        guard(async (model: string | undefined, flags: { json?: boolean; priceAsOf?: string }) =>
          (await import('./commands/prices.ts')).prices(model, flags),
        ),
      ),
  eval: (command) =>
    addJobOptions(command)
      .option('--gold <column|file>', 'the right answers: a column of the table, or a file such as a labelled sample')
      .addOption(fieldOption())
      .option('--run <id>', 'the answers of an earlier run: its id, prev or last~2')
      .option('--csv <path>', 'writes all wrong rows as a table')
      .action(guard(async (job: string, flags: EvalFlags) => (await import('./commands/eval.ts')).evaluate(job, flags))),
  sample: (command) =>
    addJobOptions(command)
      .option('-n, --rows <n>', 'how many rows', parsePositive, 50)
      .addOption(seedOption())
      .option('--by <column>', 'rows of each value of this column, in proportion')
      .addOption(fieldOption())
      .action(guard(async (job: string, flags: SampleFlags) => (await import('./commands/sample.ts')).sample(job, flags))),
  diff: (command) =>
    addJobOptions(command)
      .argument('<baseline>', 'the run to compare with: its id, prev or last~2')
      .argument('<candidate>', 'the run to judge: its id or last')
      .option('--gold <column|file>', 'the right answers, to compare the quality of both runs')
      .addOption(fieldOption())
      .option('--csv <path>', 'writes all rows that differ as a table')
      .option('--html <path>', 'writes the report of the candidate with this comparison: one offline file')
      .action(
        guard(async (job: string, runA: string, runB: string, flags: DiffFlags) =>
          (await import('./commands/diff.ts')).diff(job, runA, runB, flags),
        ),
      ),
  cancel: (command) =>
    addJobOptions(command).action(guard(async (job: string, flags: JobFlags) => (await import('./commands/cancel.ts')).cancel(job, flags))),
  worker: (command) =>
    command
      .option('--redis <url>', 'the Redis to take calls from (also REDIS_URL)')
      .option('--concurrency <n>', 'calls in flight at once, per model', parsePositive, 16)
      .option('--metrics-port <n>', 'serve metrics for Prometheus under /metrics; 0 picks a free port', parsePort)
      .action(guard(async (flags: WorkerFlags) => (await import('./commands/worker.ts')).worker(flags))),
  simulate: (command) =>
    command
      .option('--port <n>', 'listen here; 0 picks a free port', parsePort, 0)
      .option('--state <dir>', 'keep files, batches and bill here, and continue from them')
      .option('--bill <file>', 'one JSON line per billed attempt')
      .option('--trace <file>', 'one JSON line per request')
      .option('--faults <file>', 'a fault plan; see docs/simulator.md')
      .option('--seed <n>', 'the seed of everything random', parseCount, 0)
      .addOption(
        new Option('--answers <how>', 'lifelike: made from the words of the row; plain: the minimum')
          .choices(['lifelike', 'plain'])
          .default('lifelike')
          .env('ROWMILL_SIMULATE_ANSWERS'),
      )
      .addOption(
        new Option('--noise <share>', 'share of prompts that get two different answers when sent twice')
          .argParser(shareUpTo(0.5))
          .default(0)
          .env('ROWMILL_SIMULATE_NOISE'),
      )
      .addOption(
        new Option('--degrade <share>', 'share of prompts that get a worse answer, as from a worse model')
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
      .action(guard(async (flags: SimulateFlags) => (await import('./commands/simulate.ts')).simulate(flags))),
  prove: (command) =>
    command
      .option('--seconds <n>', 'minimum duration; each promise is attacked a few times in any case', parsePositive, 60)
      .option('--seed <n>', 'the seed of the attacks; a break names the seed that repeats it', parseCount, 1)
      .option('--only <name>', 'only this promise')
      .option('--redis <url>', 'also over this Redis; its databases 1 to 14 must be empty, and are emptied')
      .addOption(jsonOption())
      .action(guard(async (flags: ProveFlags) => (await import('./commands/prove.ts')).prove(flags))),
  doctor: (command) =>
    command
      .argument('[job]', 'also check this job: its model, its price, and its output')
      .addOption(inputOption())
      .addOption(stateOption())
      .addOption(baseUrlOption())
      .addOption(simulateOption())
      .addOption(jsonOption())
      .action(guard(async (job: string | undefined, flags: JobFlags) => (await import('./commands/doctor.ts')).doctor(job, flags))),
  schema: (command) => command.action(guard(async () => (await import('./commands/schema.ts')).schema())),
  completion: (command) =>
    command
      .addArgument(new Argument('<shell>', 'which one').choices(['bash', 'zsh', 'fish']))
      .addHelpText('after', '\nExample:\n  source <(rowmill completion bash)')
      .action(guard(async (shell: Shell) => (await import('./commands/completion.ts')).completion(shell))),
  complete: (command) =>
    command.argument('[words...]').action(
      guard(async (words: readonly string[]) => {
        const program = command.parent as Command;
        program.commands.filter((other) => other !== command).forEach(defineCommand);
        return (await import('./commands/completion.ts')).complete(words, program);
      }),
    ),
  // Not a command; it may be a file typed without its command.
  '*': (command) =>
    command
      .allowUnknownOption()
      .argument('[words...]')
      .action(async ([word = '']: readonly string[]) =>
        command.error(
          describeUnknownCommand(word, () => describeUnknown(word, command.parent?.commands.map((other) => other.name()) ?? [])),
        ),
      ),
};

/** Gives a command that so far has only a name its arguments, options and action. */
export function defineCommand(command: Command): Command {
  return watchOptions((DEFINITIONS[command.name()] as (typeof DEFINITIONS)[string])(command));
}

/** Defines every command of a program. */
export function defineCommands(program: Command): Command {
  program.commands.forEach(defineCommand);
  return program;
}

const RUN_EXAMPLES = `
Examples:
  rowmill run reviews.csv --prompt 'Is it good?' --output 'good: yes | no'
                                             a table without a job file
  rowmill run job.yaml --sample 50           fifty rows first, to look at
  rowmill run job.yaml --max-usd 20 --yes    all rows, for $20 at most
  rowmill run job.yaml --no-wait             leave when all is sent; run it again
                                             to collect the answers`;

/** The argument of `plan` and `run`. */
const JOB_OR_TABLE = 'the job file; or a table, with the flags below';

function addJobOptions(command: Command, job = 'the job file'): Command {
  return command
    .argument('<job>', job)
    .addOption(inputOption())
    .addOption(stateOption())
    .addOption(baseUrlOption())
    .addOption(simulateOption())
    .addOption(jsonOption());
}
