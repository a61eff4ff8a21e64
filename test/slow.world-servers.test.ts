import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Ended, makeWorld, type World } from './helpers/run-world.ts';
import { readShapes, type Shape } from './helpers/world-shapes.ts';

/** What a run cannot meet here, and where it is tried instead. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'upload-expiry-out-of-range': 'the right number of days is asked for from the start (openai.address-forms)',
  'upload-purpose-unknown': 'the simulator takes one purpose alone; the stub of Together takes another (slow.providers)',
};
/** What is said of these stands in the progress. */
const SAID_BY_PROGRESS: ReadonlySet<string> = new Set(['batch-finalizing-at-100-percent']);
const ROWS = [
  ['r1', 'one thing'],
  ['r2', 'another thing'],
  ['r3', 'a third one'],
] as const;

const isLive = ({ kind, endpoint }: Shape) => kind === 'call' && !/files|batches/.test(endpoint);
/** Ends of batches stay as they are, and a list stays a list; what only passes is met once. */
const isMetAlways = ({ kind, name, want }: Shape) =>
  want.run === 'stops' ||
  (want.askedAgain === false && want.outcome !== undefined) ||
  (kind === 'list' && name !== 'list-500') ||
  (kind === 'batch' && want.askedAgain !== true && !name.startsWith('batch-failed'));

for (const shape of readShapes().filter(({ kind, name }) => kind !== 'answer' && kind !== 'line' && ELSEWHERE[name] === undefined)) {
  test(`${shape.name}: ${JSON.stringify({ ...shape.want, note: undefined })}`, { timeout: 60_000 }, async (t) => {
    const fault = { do: { world: shape.name }, ...(isMetAlways(shape) ? {} : { times: 1 }) };
    const world = await makeWorld(t, { rows: ROWS, faults: [fault], job: 'output: text' });
    const ended = await runAgainst(world, shape);
    world.assertFaultsFired();
    assert.deepEqual(findFaults(shape, ended, world), []);
  });
}

function runAgainst(world: World, shape: Shape): Promise<Ended> {
  const mode = isLive(shape) ? 'live' : 'batch';
  const hasNoVersion = shape.endpoint.startsWith('/chat');
  return world.run({
    overrides: { cwd: world.directory, input: null, out: null, mode },
    ...(hasNoVersion ? { baseUrl: world.simulator.url.replace(/\/v1$/, '') } : {}),
  });
}

function findFaults({ name, want }: Shape, { summary, warnings }: Ended, world: World): readonly string[] {
  const { exitCode, verdict, rows, causes, outputs } = summary;
  const faults: string[] = [];
  const stops = exitCode !== 0 && exitCode !== 3;
  if (want.run !== undefined && stops !== (want.run === 'stops')) faults.push(`${want.run} was wanted: exit ${exitCode}, ${verdict}`);
  if (want.exitCode !== undefined && exitCode !== want.exitCode) faults.push(`exit ${exitCode}: ${verdict}`);
  const said = [verdict, ...warnings, outputs.table === null ? '' : world.read(outputs.table)].join('\n');
  if (want.says !== undefined && !SAID_BY_PROGRESS.has(name) && !said.includes(want.says))
    faults.push(`does not say "${want.says}": ${said}`);
  if (want.run === 'stops') return faults;
  if (want.askedAgain === false && want.outcome !== undefined && causes[want.outcome as keyof typeof causes] !== ROWS.length)
    faults.push(`causes ${JSON.stringify(causes)}`);
  if ((want.askedAgain === true || want.outcome === 'ok') && rows.ok !== ROWS.length)
    faults.push(`${rows.ok} ok, ${JSON.stringify(causes)}`);
  return faults;
}
