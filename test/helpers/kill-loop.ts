import { type ChildProcess, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { createRandom } from '../../bench/table-generator.ts';
import type { CrashPlan, SeamPlan, SeamReport } from '../../src/prove/seam/plan.ts';
import { SHORT_LIVED } from '../../src/prove/short-lived.ts';
import type { SimulatorOptions } from '../../src/simulator/options.ts';
import { type Simulator, startSimulator } from '../../src/simulator/start.ts';
import { checkRun } from './check-run.ts';
import { PROGRAM } from './program.ts';
import { readJsonLines, type WireEvent } from './run-evidence.ts';
import { ANSWER_COLUMNS, CANARY_KEY, makeRows, renderCsv } from './run-world.ts';

/** Where the simulator lives: inside the process that is killed, or outside, with faults of its own. */
export type KillMode = 'inside' | 'outside';

/** What a kill loop covered. */
export interface KillReport {
  kills: number;
  /** Kills of a process that had not told of its end yet. */
  hits: number;
  sequences: number;
  /** The last event before each kill. */
  readonly histogram: Map<string, number>;
  /** How often each fault fired, outside mode. */
  readonly faults: Map<string, number>;
}

export interface KillLoopOptions {
  readonly mode: KillMode;
  /** Sequences are run until so many kills hit work and each fault has fired. */
  readonly kills: number;
  readonly seed: number;
  readonly rows?: number;
}

const SEAM = import.meta.resolve('../../src/prove/seam/seam.js');
/** A model of the older encoding, which loads in half the time. */
const JOB = `name: killed
input: { path: in.csv, id: id }
model: gpt-4-turbo
mode: batch
limits: { enqueued_tokens: 1500 }
prompt: "Label and summarize, reply in JSON: {{ text }}"
output: { label: "good | bad | other", summary: string }
params: { max_output_tokens: 100 }
write: { path: out.csv, keep: all }
`;

/** Where calls go wrong while the command is killed: at the n-th that fits, n drawn anew for each sequence from 1 to `within`, which every run reaches. */
const CALL_FAULTS = [
  { name: 'create lost after', match: { method: 'POST', path: '/v1/batches' }, within: 2, do: { drop: 'after' } },
  { name: 'create lost before', match: { method: 'POST', path: '/v1/batches' }, within: 2, do: { html: 502 } },
  { name: 'upload lost', match: { method: 'POST', path: '/v1/files' }, within: 2, do: { drop: 'after' } },
  { name: 'list lags', match: {}, within: 2, do: { listLagMs: 100 } },
  { name: 'poll fails', match: { method: 'GET', path: '/v1/batches/*' }, within: 2, do: { status: 500 } },
  { name: 'download breaks', match: { path: '/v1/files/*/content' }, within: 2, do: { cutAtByte: 700 } },
];
/** What goes wrong with rows, the same ones in every sequence: the undisturbed run has to meet it too, for what is left to be equal. */
const ROW_FAULTS = [
  { name: 'answer invalid', match: { share: 0.15 }, do: { answer: 'invalid_json' } },
  { name: 'row fails', match: { share: 0.15 }, do: { rowStatus: 500 } },
  { name: 'row missing', match: { share: 0.1 }, do: { line: 'missing' } },
];
const FAULT_NAMES = [...CALL_FAULTS, ...ROW_FAULTS].map(({ name }) => name);
const MOMENTS = ['before', 'during', 'after'] as const;
/** A kill is at a step within this share of those of a whole run, so that a sequence has several. */
const STEPS_SHARE = 0.2;
/** Sequences there are at most, for each kill that is asked for; more are needed where the last step of a process is not reached. */
const SEQUENCES_PER_KILL = 3;

const MAX_DRAWS = 10;
/** More than the seeds of any soak: a later draw is no other loop's first. */
const SEED_STRIDE = 100_000;

/** Kills the command again and again while it works, lets it end, and compares what it leaves with the undisturbed run. Throws where they differ. */
export async function runKillLoop(options: KillLoopOptions): Promise<KillReport> {
  const faults = new Map(options.mode === 'inside' ? [] : FAULT_NAMES.map((name) => [name, 0]));
  const report: KillReport = { kills: 0, hits: 0, sequences: 0, histogram: new Map(), faults };
  const random = createRandom(options.seed);
  const { left: undisturbed, seed } = await drawUndisturbed(options, report);
  const steps = Math.ceil(undisturbed.steps * STEPS_SHARE);
  const isOver = () => report.hits >= options.kills && [...faults.values()].every((fired) => fired > 0);
  while (!isOver()) {
    if (report.sequences >= SEQUENCES_PER_KILL * options.kills)
      throw new Error(`not all that was planned:\n${renderKillReport('', report)}`);
    const disturbed = await runSequence({ ...options, seed }, { random, steps }, report);
    report.sequences += 1;
    for (const what of ['exitCode', 'table', 'bill'] as const) {
      if (disturbed[what] !== undisturbed[what])
        throw new Error(
          `sequence ${report.sequences} of seed ${options.seed}: the ${what} differs from the undisturbed run's:\n${showDifference(String(disturbed[what]), String(undisturbed[what]))}`,
        );
    }
  }
  return report;
}

/** The first seed of the simulator, from the loop's on, by which each fault of rows hits one: a later run meets the same. */
async function drawUndisturbed(options: KillLoopOptions, report: KillReport): Promise<{ readonly left: Left; readonly seed: number }> {
  for (let draw = 0; draw < MAX_DRAWS; draw += 1) {
    const seed = options.seed + draw * SEED_STRIDE;
    const left = await runSequence({ ...options, seed }, null, report);
    if (options.mode === 'inside' || ROW_FAULTS.every(({ name }) => (report.faults.get(name) ?? 0) > 0)) return { left, seed };
  }
  throw new Error(`no seed from ${options.seed} on hits a row with each fault`);
}

/** The first lines that differ. */
function showDifference(is: string, expected: string): string {
  const expectedLines = expected.split('\n');
  return is
    .split('\n')
    .flatMap((line, index) => (line === expectedLines[index] ? [] : [`- ${expectedLines[index]}\n+ ${line}`]))
    .slice(0, 4)
    .join('\n');
}

/** What a finished sequence leaves, to be compared. */
interface Left {
  /** How many steps the process took that came to its end; not compared. */
  readonly steps: number;
  readonly exitCode: number;
  readonly table: string;
  /** Custom ids on the bill, sorted. */
  readonly bill: string;
}

/** Where kills are drawn from; `steps` is the last one. */
interface Dice {
  readonly random: () => number;
  readonly steps: number;
}

async function runSequence(options: KillLoopOptions, dice: Dice | null, report: KillReport): Promise<Left> {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'rowmill-'));
  const simulator = options.mode === 'inside' ? null : await startSimulator(drawSimulator(directory, options.seed, dice));
  try {
    fs.writeFileSync(path.join(directory, 'in.csv'), renderCsv(makeRows(options.rows ?? 24)));
    fs.writeFileSync(path.join(directory, 'job.yaml'), JOB);
    for (;;) {
      const running = start(directory, simulator, dice === null || report.hits >= options.kills ? null : drawKill(dice));
      const exitCode = await running.ended;
      if (exitCode === null) noteKill(running, report);
      if (exitCode === null || exitCode === 7) continue;
      for (const { name, fired } of simulator?.faultsFired() ?? []) report.faults.set(name, (report.faults.get(name) ?? 0) + fired);
      return judge(running, exitCode);
    }
  } finally {
    await simulator?.close();
    for (const left of [directory, reportOf(directory)]) fs.rmSync(left, { recursive: true, force: true });
  }
}

const reportOf = (directory: string) => `${directory}.report`;

/**
 * The undisturbed run meets none but the faults of rows: nothing that goes wrong on the way may be seen in what is left. Those come first, as a
 * draw depends on the place in the plan.
 */
function drawSimulator(directory: string, seed: number, dice: Dice | null): SimulatorOptions {
  const drawn =
    dice === null
      ? []
      : CALL_FAULTS.map(({ within, match, ...fault }) => ({ ...fault, match: { ...match, nth: drawCount(dice.random, within) } }));
  return { stateDirectory: path.join(directory, 'provider'), faults: [...ROW_FAULTS, ...drawn], seed, batchSeconds: 0.08 };
}

/** From 1 to `most`. */
function drawCount(random: () => number, most: number): number {
  return 1 + Math.floor(random() * most);
}

function drawKill({ random, steps }: Dice): CrashPlan {
  return { at: drawCount(random, steps), moment: MOMENTS[Math.floor(random() * MOMENTS.length)] as CrashPlan['moment'] };
}

/** One run of the command. */
interface Running {
  readonly child: ChildProcess;
  readonly directory: string;
  readonly stateDirectory: string;
  readonly providerDirectory: string;
  /** Events there were before it began. */
  readonly eventsBefore: number;
  /** The exit code; null when it was killed. */
  readonly ended: Promise<number | null>;
  stdout: string;
  stderr: string;
}

function start(directory: string, simulator: Simulator | null, crash: CrashPlan | null): Running {
  const origin = simulator === null ? 'simulator' : `127.0.0.1-${simulator.port}`;
  const stateDirectory = path.join(directory, '.rowmill', `killed@${origin}`);
  const plan: SeamPlan = {
    under: [`${directory}/`],
    reportPath: reportOf(directory),
    ...(crash === null ? {} : { crash }),
  };
  const target = simulator === null ? ['--simulate'] : ['--base-url', simulator.url];
  const { OPENAI_BASE_URL: _url, ROWMILL_BASE_URL: _other, ROWMILL_STATE_DIR: _state, ...environment } = process.env;
  const child = spawn(
    process.execPath,
    [...SHORT_LIVED, `--import=${SEAM}`, PROGRAM, 'run', 'job.yaml', ...target, '--json', '--progress', 'none'],
    {
      cwd: directory,
      env: {
        ...environment,
        OPENAI_API_KEY: CANARY_KEY,
        ROWMILL_POLL_MAX: '50ms',
        ROWMILL_LOOKS: '0.05,0.2,0.6',
        ROWMILL_PROVE_SEAM: JSON.stringify(plan),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const running: Running = {
    child,
    directory,
    stateDirectory,
    providerDirectory: simulator === null ? path.join(stateDirectory, 'provider') : path.join(directory, 'provider'),
    eventsBefore: readWhole(path.join(stateDirectory, 'events.jsonl')).length,
    ended: new Promise((resolve) => child.on('close', resolve)),
    stdout: '',
    stderr: '',
  };
  child.stdout.on('data', (chunk) => {
    running.stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    running.stderr += chunk;
  });
  return running;
}

function noteKill(running: Running, report: KillReport): void {
  const events = readWhole(path.join(running.stateDirectory, 'events.jsonl'));
  const last = events.at(-1)?.type ?? '';
  report.kills += 1;
  if (last !== 'run-ended') report.hits += 1;
  const name = last === 'run-ended' ? '(after the end)' : events.length > running.eventsBefore ? last : '(before its first event)';
  report.histogram.set(name, (report.histogram.get(name) ?? 0) + 1);
}

function judge(running: Running, exitCode: number): Left {
  const { directory, stateDirectory, providerDirectory } = running;
  if (exitCode !== 0 && exitCode !== 3) throw new Error(`exit ${exitCode}: ${running.stderr}`);
  const said = JSON.parse(running.stdout);
  // Killed after its end, a run is only looked at by the next command: what was spent stands in the summary it kept.
  const kept = path.join(stateDirectory, 'runs', said.run, 'summary.json');
  const summary = said.attempts.total === 0 ? JSON.parse(fs.readFileSync(kept, 'utf8')).summary : said;
  const writePath = path.join(directory, 'out.csv');
  checkRun({
    inputPath: path.join(directory, 'in.csv'),
    stateDirectory,
    providerDirectory,
    tablePath: writePath,
    writePath,
    summary,
    answerColumns: ANSWER_COLUMNS,
    textColumn: 'text',
    secretKey: CANARY_KEY,
    secretCells: ['says fine, '],
    said: running.stderr,
  });
  const bill = readJsonLines(path.join(providerDirectory, 'bill.jsonl')) as { customId: string }[];
  return {
    steps: (JSON.parse(fs.readFileSync(reportOf(directory), 'utf8')) as SeamReport).operations.length,
    exitCode,
    table: fs.readFileSync(writePath, 'utf8'),
    bill: bill
      .map(({ customId }) => customId)
      .sort()
      .join('\n'),
  };
}

/** The report as lines for a person. */
export function renderKillReport(title: string, report: KillReport): string {
  const list = (counts: ReadonlyMap<string, number>) =>
    [...counts]
      .sort((a, b) => b[1] - a[1])
      .map(([name, count]) => `${name} ${count}`)
      .join(', ');
  const share = Math.round((100 * report.hits) / report.kills);
  return [
    `${title}: ${report.kills} kills in ${report.sequences} sequences, ${share} % hit work`,
    `  last event before the kill: ${list(report.histogram)}`,
    ...(report.faults.size === 0 ? [] : [`  faults fired: ${list(report.faults)}`]),
  ].join('\n');
}

/** Events so far; a last line that is not whole is left out. */
function readWhole(file: string): WireEvent[] {
  const text = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as WireEvent);
}
