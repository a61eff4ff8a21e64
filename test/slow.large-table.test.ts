import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { readJsonLines } from '../src/prove/check/calls.ts';
import { type Simulator, startSimulator } from '../src/simulator/start.ts';
import { PROGRAM } from './helpers/program.ts';
import { CANARY_KEY, renderCsv } from './helpers/run-world.ts';

const ROWS = 20_000;
const FILLER = 'größer привет 商品 "quoted", and a comma\n'.repeat(8);
const JOB = `name: large
input: { path: in.csv, id: id }
model: gpt-4o-mini
prompt: "Label, reply in JSON: {{ text }}"
output: { label: "good | bad | other" }
write: { path: out.csv, keep: all }
`;

interface Place {
  readonly directory: string;
  readonly simulator: Simulator;
}

async function makePlace(): Promise<Place> {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'rowmill-'));
  const rows = Array.from({ length: ROWS }, (_, row) => [`r${row}`, `Note ${row}: ${FILLER}`]);
  fs.writeFileSync(path.join(directory, 'in.csv'), renderCsv(rows));
  fs.writeFileSync(path.join(directory, 'job.yaml'), JOB);
  return { directory, simulator: await startSimulator({ stateDirectory: path.join(directory, 'provider'), batchSeconds: 0.5 }) };
}

async function leave({ directory, simulator }: Place): Promise<void> {
  await simulator.close();
  fs.rmSync(directory, { recursive: true, force: true });
}

function start({ directory, simulator }: Place): { readonly child: ChildProcess; readonly ended: Promise<number | null> } {
  const child = spawn(
    process.execPath,
    [PROGRAM, 'run', 'job.yaml', '--base-url', simulator.url, '--yes', '--json', '--progress', 'none'],
    {
      cwd: directory,
      env: { ...process.env, OPENAI_API_KEY: CANARY_KEY, ROWMILL_POLL_MAX: '100ms' },
      stdio: 'ignore',
    },
  );
  return { child, ended: new Promise((resolve) => child.on('close', resolve)) };
}

/** The moments of a run over a large table that have something of their own to lose, by what shows on the disk. */
const MOMENTS: readonly { readonly title: string; readonly hasCome: (files: readonly string[]) => boolean }[] = [
  { title: 'it is being planned', hasCome: (files) => files.some((name) => name.endsWith('lock')) },
  { title: 'it is being sent', hasCome: (files) => files.some((name) => /requests\/.+/.test(name)) },
  { title: 'the table is being written', hasCome: (files) => files.some((name) => /\.rowmill-.*\.tmp$/.test(name)) },
];

test('a large table is the same whenever the process is killed', { timeout: 120_000 }, async (t) => {
  const undisturbed = await makePlace();
  t.after(() => leave(undisturbed));
  assert.equal(await start(undisturbed).ended, 0);
  const killed = await makePlace();
  t.after(() => leave(killed));
  for (const { title, hasCome } of MOMENTS) {
    const { child, ended } = start(killed);
    let isOver = false;
    void ended.then(() => {
      isOver = true;
    });
    while (!isOver && !hasCome(fs.readdirSync(killed.directory, { recursive: true, encoding: 'utf8' }))) await delay(1);
    assert.equal(isOver, false, title);
    child.kill('SIGKILL');
    assert.equal(await ended, null, title);
  }
  assert.equal(await start(killed).ended, 0);

  const read = ({ directory }: Place) => fs.readFileSync(path.join(directory, 'out.csv'), 'utf8');
  assert.equal(read(killed), read(undisturbed));
  const billed = readJsonLines<{ customId: string }>(path.join(killed.directory, 'provider', 'bill.jsonl'));
  assert.equal(new Set(billed.map(({ customId }) => customId)).size, ROWS);
  assert.equal(billed.length, ROWS);
});
