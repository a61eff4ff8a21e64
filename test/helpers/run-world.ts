import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import type { Summary } from '../../src/core/summary.ts';
import type { StartTimer } from '../../src/core/timer.ts';
import { startTimer } from '../../src/host/real-effects.ts';
import { readOwnIdentity } from '../../src/ledger/disk/process-identity.ts';
import { createProvider } from '../../src/openai/provider.ts';
import type { Effects } from '../../src/run/open/effects.ts';
import type { RunOptions } from '../../src/run/options.ts';
import { runJob } from '../../src/run/run.ts';
import type { SimulatorOptions } from '../../src/simulator/options.ts';
import { type Simulator, startSimulator } from '../../src/simulator/start.ts';
import { type CheckOptions, checkRun } from './check-run.ts';
import { createSkippedTime } from './skipped-time.ts';

/** Looks for a key in every file: it must never be found. */
export const CANARY_KEY = 'sk-canary-7Zq3vK1xW9';
/** Goes into cells whose text must stay out of logs and events. */
export const CANARY_CELL = 'canary-cell-4f1d';

/** How much faster than real time the worlds of tests run: a look after 65 s takes 65 ms. */
export const SPEED = 1000;

/** A folder with a job, its table and a simulator: everything a run needs, on fast time. */
export interface World {
  readonly directory: string;
  readonly stateDirectory: string;
  /** The simulator of the moment; `restart` puts another in its place over the same files. */
  readonly simulator: Simulator;
  readonly clock: () => Date;
  /** What its runs take from the outside. */
  readonly effects: Effects;
  /** Lets time pass while nobody works. */
  pass(milliseconds: number): Promise<void>;
  /** Everything any run of this world said. */
  readonly said: string[];
  path(name: string): string;
  write(name: string, text: string): void;
  read(name: string): string;
  /** Closes the simulator and starts one with other options on the same state. */
  restart(options: SimulatorOptions): Promise<void>;
  run(change?: RunChange): Promise<Ended>;
  /** Runs until nothing more is to be expected: exits 5 and 7 are continued, `times` at most. */
  runToEnd(change?: RunChange, times?: number): Promise<Ended>;
  /** The promises, read from the files alone. */
  check(summary: Summary, change?: Partial<CheckOptions>): void;
  /** What `check` looks at. */
  checkOptions(summary: Summary, change?: Partial<CheckOptions>): CheckOptions;
  /** Asserts that every fault of the plan has fired. */
  assertFaultsFired(): void;
}

export interface RunChange extends Partial<Omit<RunOptions, 'target'>> {
  readonly apiKey?: string;
  /** Where the provider is reached; the simulator without it. */
  readonly baseUrl?: string;
  /** Whose state directory and prices; the simulator's without it. */
  readonly origin?: string;
  readonly startTimer?: StartTimer;
}

export interface Ended {
  readonly summary: Summary;
  /** How many requests of each kind this run made. */
  readonly requests: Readonly<Record<string, number>>;
  readonly warnings: readonly string[];
}

export interface WorldOptions extends SimulatorOptions {
  /** Rows of the table `in.csv`: id and text. */
  readonly rows?: readonly (readonly [string, string])[];
  /** Lines added to the job file. */
  readonly job?: string;
  /** A folder with job, table and state to go on with; a fresh one without it. */
  readonly directory?: string;
  /** What the clock says at first; now without it. */
  readonly startsAt?: string;
}

export const ANSWER_COLUMNS = ['label', 'summary'] as const;

/** The job of most tests: the answer repeats the row's first words, so that an answer given to the wrong row shows. */
export function makeJobText(lines = ''): string {
  const has = (key: string) => new RegExp(`^${key}:`, 'm').test(lines);
  return [
    'name: proof',
    'input: { path: in.csv, id: id }',
    has('model') ? '' : 'model: gpt-4o-mini',
    'mode: batch',
    has('prompt') ? '' : 'prompt: "Label and summarize, reply in JSON: {{ text }}"',
    has('output') ? '' : 'output: { label: "good | bad | other", summary: string }',
    has('params') ? '' : 'params: { max_output_tokens: 100 }',
    has('write') ? '' : 'write: { path: out.csv, keep: all }',
    lines,
  ]
    .filter((line) => line !== '')
    .join('\n');
}

/** Rows `id,text` whose texts all differ in their first words. */
export function makeRows(count: number, from = 1): [string, string][] {
  return Array.from({ length: count }, (_, index) => {
    const n = from + index;
    return [`r${n}`, `Note number ${n} says ${['fine', 'awful', 'so so'][n % 3]}, "quoted", ${n * 7919}`];
  });
}

export function renderCsv(rows: readonly (readonly string[])[], header: readonly string[] = ['id', 'text']): string {
  const quote = (cell: string) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
  return `${[header, ...rows].map((row) => row.map(quote).join(',')).join('\n')}\n`;
}

/** Where the end of a world is announced: a test's context, or whoever stands in for one. */
export interface Cleanup {
  after(end: () => Promise<void>): void;
}

export async function makeWorld(t: Cleanup | null, options: WorldOptions = {}): Promise<World> {
  const {
    rows = makeRows(12),
    job,
    directory = fs.mkdtempSync(path.join(os.tmpdir(), 'rowmill-')),
    startsAt,
    ...simulatorOptions
  } = options;
  const stateDirectory = path.join(directory, '.rowmill', 'proof@simulator');
  const providerDirectory = path.join(stateDirectory, 'provider');
  const time = createSkippedTime(SPEED, startsAt === undefined ? Date.now() : Date.parse(startsAt));
  const { clock, monotonicMs } = time;
  /** What the simulator waits for is over as soon as that time was skipped. */
  const sleep: Effects['sleep'] = async (milliseconds, signal) => {
    await time.sleep(milliseconds, signal);
    void simulator.advance(0).catch(() => {});
  };
  const start = (change: SimulatorOptions) => {
    fs.mkdirSync(stateDirectory, { recursive: true, mode: 0o700 });
    return startSimulator({
      answers: 'plain',
      stateDirectory: providerDirectory,
      batchSeconds: 0,
      now: () => clock().getTime(),
      ...change,
    });
  };
  let simulator = await start(simulatorOptions);
  t?.after(async () => {
    await simulator.close();
    fs.rmSync(directory, { recursive: true, force: true });
  });

  const said: string[] = [];
  let ids = 0;
  const effects: Effects = {
    clock,
    monotonicMs,
    sleep,
    startTimer,
    random: () => 0.5,
    randomId: () => `id${String(++ids).padStart(4, '0')}${process.hrtime.bigint().toString(36).slice(-4)}`,
    processIdentity: readOwnIdentity(),
  };
  const world: World = {
    directory,
    stateDirectory,
    clock,
    effects,
    said,
    get simulator() {
      return simulator;
    },
    async pass(milliseconds) {
      time.skip(milliseconds);
      await simulator.advance(0);
    },
    path: (name) => path.join(directory, name),
    write: (name, text) => fs.writeFileSync(path.join(directory, name), text),
    read: (name) => fs.readFileSync(path.join(directory, name), 'utf8'),
    async restart(change) {
      await simulator.close();
      simulator = await start(change);
    },
    async run(change = {}) {
      const { apiKey = CANARY_KEY, baseUrl, origin = 'simulator', startTimer: startCallTimer = startTimer, ...others } = change;
      const before = { ...simulator.requests() };
      const warnings: string[] = [];
      const never = new AbortController().signal;
      const summary = await runJob({
        jobFile: path.join(directory, 'job.yaml'),
        overrides: { cwd: directory, input: null, out: null, mode: null },
        stateRoot: null,
        stdin: null,
        target: {
          origin,
          baseUrl: null,
          async connect() {
            const provider = await createProvider({
              apiKey,
              baseUrl: baseUrl ?? simulator.url,
              clock,
              startTimer: startCallTimer,
            });
            return { provider, close: async () => {} };
          },
        },
        selection: { type: 'all' },
        effects,
        stopping: never,
        signal: never,
        deadline: null,
        maxNanoUsd: null,
        waitMs: null,
        isFresh: false,
        reopen: null,
        looksMs: [5_000, 20_000, 65_000],
        pollMaxMs: 4_000,
        redis: null,
        priceAsOf: null,
        confirm: async () => {},
        watch: () => {},
        warn: (message) => void warnings.push(message),
        commands: { continue: 'rowmill run job.yaml', failures: 'rowmill failures job.yaml' },
        ...others,
      });
      said.push(...warnings);
      return { summary, warnings, requests: subtract(simulator.requests(), before) };
    },
    async runToEnd(change, times = 20) {
      for (let left = times; ; left -= 1) {
        const ended = await world.run(change);
        if (left === 1 || ended.summary.exitCode === 0 || ended.summary.exitCode === 3) return ended;
      }
    },
    check: (summary, change) => checkRun(world.checkOptions(summary, change)),
    checkOptions: (summary, change = {}) => ({
      inputPath: path.join(directory, 'in.csv'),
      stateDirectory,
      providerDirectory,
      tablePath: summary.outputs.table === null ? null : path.resolve(directory, summary.outputs.table),
      writePath: path.join(directory, 'out.csv'),
      summary,
      answerColumns: ANSWER_COLUMNS,
      isAnswer: (answer, text) =>
        Object.keys(answer).length === 2 &&
        ['good', 'bad', 'other'].includes(String(answer.label)) &&
        typeof answer.summary === 'string' &&
        text.split('"label":').length === 2,
      textColumn: 'text',
      secretKey: CANARY_KEY,
      secretCells: [CANARY_CELL],
      said: said.join('\n'),
      ...change,
    }),
    assertFaultsFired() {
      for (const { name, fired } of simulator.faultsFired()) if (fired === 0) throw new Error(`the fault ${name} never fired`);
    },
  };
  world.write('in.csv', renderCsv(rows));
  world.write('job.yaml', makeJobText(job));
  return world;
}

function subtract(after: Readonly<Record<string, number>>, before: Readonly<Record<string, number>>): Record<string, number> {
  const left = Object.entries(after).map(([route, count]) => [route, count - (before[route] ?? 0)] as const);
  return Object.fromEntries(left.filter(([, count]) => count > 0));
}

/** Requests that spend money or may come to. */
export function countPosts(requests: Readonly<Record<string, number>>): number {
  return Object.entries(requests).reduce((sum, [route, count]) => sum + (route.startsWith('POST') ? count : 0), 0);
}
