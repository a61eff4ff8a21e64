// Makes the state directories of fixtures/states with the program compiled in dist/: for each lane a finished one, and one whose run was
// killed (SIGKILL) during its work. `node scripts/make-states.mjs FOLDER`; the folder must not exist, because states of old versions cannot be made again.
import { spawn, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const PROGRAM = resolve('dist/src/cli/main.js');
const COMMAND = [PROGRAM, 'run', 'job.yaml', '--simulate', '--state-dir', 'state', '--json', '--progress', 'none'];
/** Stands in the files for the folder in which the state was made; a test puts its own there. */
const FOLDER = '/folder-of-the-job';
/** Who held the lock of a killed run: a process of another machine that has been silent for long. */
const LOST_HOLDER = { pid: 1, host: 'host-of-before', startTime: null, heartbeatAt: '2026-11-29T00:00:00.000Z' };
const TRIES = 200;

const TABLE = `id,text
1,The handle came off on the first day
2,Works as it should and looks nice
3,"Arrived late, but it is what I wanted"
4,Works as it should and looks nice
5,
6,"I asked for blue, got green; nobody answers"
7,Стул скрипит
8,Would buy it again
9,It does the job
10,Too loud for a bedroom
`;

const makeJob = (lane, limits) => `name: notes
input: { path: notes.csv, id: id }
model: gpt-4o-mini
mode: ${lane}
prompt: "Which sentiment? Reply in JSON: {{ text }}"
output: { sentiment: positive | negative, summary: string }
params: { max_output_tokens: 60 }
limits: ${limits}
write: { path: out.csv, keep: all }
fail_if: { skipped_rows: 1 }
`;

const LANES = {
  // Three shards, of which two fit into the provider's queue at a time.
  batch: { job: makeJob('batch', '{ enqueued_tokens: 640 }'), isInMidRun: isBatchInDoubt, finishKilled: () => {} },
  live: { job: makeJob('live', '{ concurrency: 3 }'), isInMidRun: isCallInFlight, finishKilled: tearLastLine },
};

const target = process.argv[2];
if (target === undefined || existsSync(target)) throw new Error('name a folder that does not exist');
for (const [lane, { job, isInMidRun, finishKilled }] of Object.entries(LANES)) {
  await make(`${lane}-finished`, job, async (folder) => {
    const { status, stderr } = spawnSync(process.execPath, COMMAND, { ...surroundings(folder), encoding: 'utf8' });
    if (status !== 0) throw new Error(`exit ${status}: ${stderr}`);
    return true;
  });
  await make(`${lane}-killed`, job, async (folder, state) => {
    const child = spawn(process.execPath, COMMAND, { ...surroundings(folder), stdio: 'ignore' });
    const ended = new Promise((resolve) => child.once('close', resolve));
    const untilMs = Date.now() + 20_000;
    // Without a pause: the moment looked for is shorter than one.
    while (!isInMidRun(state) && !hasEnded(state) && Date.now() < untilMs);
    child.kill('SIGKILL');
    await ended;
    if (!isInMidRun(state)) return false;
    finishKilled(state);
    return true;
  });
}

/** Makes one state in a folder of its own, as often as it takes, and keeps it without what names this machine. */
async function make(name, job, fill) {
  for (let tries = 1; tries <= TRIES; tries += 1) {
    const folder = mkdtempSync(join(tmpdir(), 'rowmill-'));
    try {
      writeFileSync(join(folder, 'job.yaml'), job);
      writeFileSync(join(folder, 'notes.csv'), TABLE);
      if (!(await fill(folder, join(folder, 'state', 'notes@simulator')))) continue;
      for (const page of ['out.report.html', 'out.failures.csv']) rmSync(join(folder, page), { force: true });
      hideMachine(folder);
      mkdirSync(target, { recursive: true });
      cpSync(folder, join(target, name), { recursive: true });
      console.log(`${name}: try ${tries}`);
      return;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  throw new Error(`${name}: no kill of ${TRIES} fell where it should`);
}

function surroundings(folder) {
  return { cwd: folder, env: { PATH: process.env.PATH, HOME: folder, TMPDIR: tmpdir(), ROWMILL_POLL_MAX: '50ms' } };
}

/** Paths stand in the summary, the host in the lock; neither is part of anything that is hashed. */
function hideMachine(folder) {
  for (const file of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue;
    const path = join(file.parentPath, file.name);
    const text = readFileSync(path, 'utf8');
    const hidden = file.name === 'lock' ? `${JSON.stringify({ ...JSON.parse(text), ...LOST_HOLDER })}\n` : text.replaceAll(folder, FOLDER);
    if (hidden !== text) writeFileSync(path, hidden);
  }
}

/** One batch is collected, another is in flight, and the last thing said is that a third is about to be created: the provider has it. */
function isBatchInDoubt(state) {
  const events = readLines(join(state, 'events.jsonl'));
  if (events.at(-1)?.type !== 'create-intent') return false;
  const count = (type) => events.filter((event) => event.type === type).length;
  const batches = readdirSync(join(state, 'provider', 'batches')).filter((name) => name.endsWith('.json'));
  return count('batch-collected') > 0 && count('create-done') > count('batch-collected') && batches.length > count('create-done');
}

/** Some calls are answered and kept, others are announced and have no end yet. */
function isCallInFlight(state) {
  const announced = readLines(join(state, 'events.jsonl')).flatMap(({ type, calls }) => (type === 'call-intent' ? calls : []));
  const answered = readLines(findLive(state)).length;
  return answered >= 4 && announced.length > answered;
}

/** What is left by a kill within a write, which in practice falls before it or after it: the last answer was paid for, and half of it is there. */
function tearLastLine(state) {
  if (readLines(join(state, 'events.jsonl')).some(({ type }) => type === 'live-recorded'))
    throw new Error('a recorded line cannot be torn');
  const file = findLive(state);
  const lastBytes = Buffer.byteLength(JSON.stringify(readLines(file).at(-1)));
  truncateSync(file, statSync(file).size - Math.floor(lastBytes / 2));
}

function hasEnded(state) {
  return readLines(join(state, 'events.jsonl')).at(-1)?.type === 'run-ended';
}

function findLive(state) {
  const responses = join(state, 'responses');
  return join(responses, (existsSync(responses) ? readdirSync(responses) : []).find((name) => name.startsWith('live-')) ?? 'none');
}

/** The whole lines of a file that is being written. */
function readLines(file) {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line));
}
