import { type ChildProcess, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Simulator, startSimulator } from '../../src/simulator/start.ts';
import { checkRun } from './check-run.ts';
import { readJsonLines, type WireEvent } from './run-evidence.ts';
import { ANSWER_COLUMNS, CANARY_KEY, makeRows, renderCsv } from './run-world.ts';

/** Where the simulator lives: inside the process that is killed, or outside, with faults of its own. */
export type KillMode = 'inside' | 'outside';

/** What a kill loop covered. */
export interface KillReport {
  kills: number;
  /** Kills of a process that had done something and had not come to its end. */
  hits: number;
  sequences: number;
  /** The last event before each kill. */
  readonly histogram: Map<string, number>;
  /** How often each fault fired, outside mode. */
  readonly faults: Map<string, number>;
}

export interface KillLoopOptions {
  readonly mode: KillMode;
  /** Sequences are run until there were this many kills. */
  readonly kills: number;
  readonly seed: number;
  readonly rows?: number;
}

/** The command lives for half a second here: optimizing its code, on threads of their own, would cost more than it saves. */
const SHORT_LIVED = ['--no-opt', '--v8-pool-size=0'];
const MAIN = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../src/cli/main.js');
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

/** Whatever goes wrong between the two processes while one of them is killed. */
const FAULTS = [
  { name: 'create lost after', match: { method: 'POST', path: '/v1/batches', share: 0.2 }, do: { drop: 'after' } },
  { name: 'create lost before', match: { method: 'POST', path: '/v1/batches', share: 0.1 }, do: { html: 502 } },
  { name: 'upload lost', match: { method: 'POST', path: '/v1/files', share: 0.1 }, do: { drop: 'after' } },
  { name: 'list lags', match: { share: 0.5 }, do: { listLagMs: 100 } },
  { name: 'poll fails', match: { method: 'GET', path: '/v1/batches/*', share: 0.1 }, do: { status: 500 } },
  { name: 'download breaks', match: { path: '/v1/files/*/content', share: 0.15 }, do: { cutAtByte: 700 } },
  { name: 'answer invalid', match: { share: 0.15 }, do: { answer: 'invalid_json' } },
  { name: 'row fails', match: { share: 0.1 }, do: { rowStatus: 500 } },
  { name: 'row missing', match: { share: 0.05 }, do: { line: 'missing' } },
];

/** Kills the command again and again while it works, lets it end, and compares what it leaves with the undisturbed run. Throws where they differ. */
export async function runKillLoop(options: KillLoopOptions): Promise<KillReport> {
  const report: KillReport = { kills: 0, hits: 0, sequences: 0, histogram: new Map(), faults: new Map() };
  const random = createRandom(options.seed);
  const undisturbed = await runSequence(options, null, report);
  while (report.kills < options.kills) {
    const disturbed = await runSequence(options, random, report);
    report.sequences += 1;
    for (const [what, value] of Object.entries(undisturbed)) {
      if (disturbed[what as keyof Left] !== value)
        throw new Error(
          `sequence ${report.sequences} of seed ${options.seed}: the ${what} differs from the undisturbed run's:\n${showDifference(String(disturbed[what as keyof Left]), String(value))}`,
        );
    }
  }
  return report;
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
  readonly exitCode: number;
  readonly table: string;
  /** Custom ids on the bill, sorted. */
  readonly bill: string;
}

async function runSequence(options: KillLoopOptions, random: (() => number) | null, report: KillReport): Promise<Left> {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'rowmill-'));
  const simulator =
    options.mode === 'inside'
      ? null
      : await startSimulator({ stateDirectory: path.join(directory, 'provider'), faults: FAULTS, seed: options.seed, batchSeconds: 0.08 });
  try {
    fs.writeFileSync(path.join(directory, 'in.csv'), renderCsv(makeRows(options.rows ?? 24)));
    fs.writeFileSync(path.join(directory, 'job.yaml'), JOB);
    for (;;) {
      const process = start(directory, simulator);
      const kill = random === null || report.kills >= options.kills ? null : killWhileWorking(process, random);
      const exitCode = await process.ended;
      if (exitCode === null) {
        await kill;
        noteKill(process, report);
        continue;
      }
      if (exitCode === 7) continue;
      for (const { name, fired } of simulator?.faultsFired() ?? []) report.faults.set(name, (report.faults.get(name) ?? 0) + fired);
      return judge(process, exitCode);
    }
  } finally {
    await simulator?.close();
    fs.rmSync(directory, { recursive: true, force: true });
  }
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

function start(directory: string, simulator: Simulator | null): Running {
  const origin = simulator === null ? 'simulator' : `127.0.0.1-${simulator.port}`;
  const stateDirectory = path.join(directory, '.rowmill', `killed@${origin}`);
  const target = simulator === null ? ['--simulate'] : ['--base-url', simulator.url];
  const { OPENAI_BASE_URL: _url, ROWMILL_BASE_URL: _other, ROWMILL_STATE_DIR: _state, ...environment } = process.env;
  const child = spawn(process.execPath, [...SHORT_LIVED, MAIN, 'run', 'job.yaml', ...target, '--json', '--progress', 'none'], {
    cwd: directory,
    env: { ...environment, OPENAI_API_KEY: CANARY_KEY, ROWMILL_POLL_MAX: '50ms', ROWMILL_LOOKS: '0.05,0.2,0.6' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const running: Running = {
    child,
    directory,
    stateDirectory,
    providerDirectory: simulator === null ? path.join(stateDirectory, 'provider') : path.join(directory, 'provider'),
    eventsBefore: countLines(path.join(stateDirectory, 'events.jsonl')),
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

/** Waits for a random number of signs of work (events, bill lines or response bytes) and a moment more, then kills. */
async function killWhileWorking(running: Running, random: () => number): Promise<void> {
  const events = path.join(running.stateDirectory, 'events.jsonl');
  const bill = path.join(running.providerDirectory, 'bill.jsonl');
  const watchesBill = random() < 0.25;
  const countEvents = createLineCounter(events);
  const count = watchesBill ? createLineCounter(bill) : countEvents;
  const wanted = count() + 1 + Math.floor(random() * (watchesBill ? 10 : 7));
  const delayMs = random() < 0.5 ? 0 : random() * 15;
  let isOver = false;
  void running.ended.then(() => {
    isOver = true;
  });
  while (!isOver && (count() < wanted || countEvents() === running.eventsBefore)) await pause(2);
  await pause(delayMs);
  running.child.kill('SIGKILL');
}

function noteKill(running: Running, report: KillReport): void {
  const events = readWhole(path.join(running.stateDirectory, 'events.jsonl'));
  const last = events.at(-1);
  const isHit = events.length > running.eventsBefore && last?.type !== 'run-ended';
  report.kills += 1;
  if (isHit) report.hits += 1;
  const name = isHit ? String(last?.type) : last?.type === 'run-ended' ? '(after the end)' : '(before its first event)';
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

function countLines(file: string): number {
  return createLineCounter(file)();
}

/** Counts the lines of a growing file, reading only what is new. */
export function createLineCounter(file: string): () => number {
  let bytes = 0;
  let lines = 0;
  return () => {
    const size = fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0;
    if (size <= bytes) return lines;
    const text = fs.readFileSync(file);
    for (let at = text.indexOf(10, bytes); at >= 0; at = text.indexOf(10, at + 1)) lines += 1;
    bytes = text.length;
    return lines;
  };
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** A small seeded generator of numbers in 0..1 (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
