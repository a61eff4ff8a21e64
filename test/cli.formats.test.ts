import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { StoredEvent } from '../src/core/event.ts';
import { FORMATS } from '../src/core/formats.ts';
import { VERSION } from '../src/core/version.ts';
import { makeEventLine } from '../src/ledger/events/event-line.ts';
import { copyStateOfBefore, listFiles, STATE_FLAGS } from './helpers/state-of-before.ts';
import { someOf } from './helpers/wide.ts';

type World = ReturnType<typeof copyStateOfBefore>;

const NEWER =
  /was written by rowmill 9\.1\.0 with format 9, but this is rowmill [\d.]+, which knows format 1: use rowmill 9\.1\.0 or newer/;
const GOLD = 'id,sentiment\n1,negative\n2,positive\n';

type Treatment = 'untouched' | 'left out' | 'refused';

interface Reader {
  readonly command: string;
  /** What becomes of what a newer version kept of the older of two runs, and of the last one. */
  readonly older: Treatment;
  readonly last: Treatment;
  /** It changes the state directory. */
  readonly writes?: true;
}

/** Every command that reads a state directory; A and B stand for its two runs, the older first. */
const READERS: readonly Reader[] = [
  { command: 'plan job.yaml', older: 'left out', last: 'left out' },
  { command: 'status job.yaml', older: 'untouched', last: 'left out' },
  { command: 'failures job.yaml', older: 'untouched', last: 'left out' },
  { command: 'failures job.yaml --row 1', older: 'untouched', last: 'left out' },
  { command: 'report job.yaml', older: 'untouched', last: 'refused' },
  { command: 'report job.yaml --html page.html', older: 'untouched', last: 'refused' },
  { command: 'report job.yaml --run A', older: 'refused', last: 'untouched' },
  { command: 'report job.yaml --run B', older: 'untouched', last: 'refused' },
  { command: 'eval job.yaml --gold gold.csv --field sentiment', older: 'untouched', last: 'left out' },
  { command: 'sample job.yaml --rows 2', older: 'untouched', last: 'left out' },
  { command: 'diff job.yaml A B', older: 'untouched', last: 'left out' },
  { command: 'diff job.yaml A B --html page.html', older: 'untouched', last: 'refused' },
  { command: 'cancel job.yaml', older: 'untouched', last: 'untouched' },
  { command: 'verify job.yaml', older: 'untouched', last: 'refused' },
  { command: 'run job.yaml', older: 'left out', last: 'left out', writes: true },
  { command: 'run job.yaml --fresh', older: 'left out', last: 'left out', writes: true },
  { command: 'retry job.yaml', older: 'left out', last: 'left out', writes: true },
];

describe('a state directory', () => {
  let world: World;
  let events = '';

  before(() => {
    world = copyStateOfBefore('batch-finished');
    writeFileSync(join(world.folder, 'gold.csv'), GOLD);
    events = readFileSync(join(world.state, 'events.jsonl'), 'utf8');
  });
  after(() => world.dispose());

  const makeLine = (event: object) => makeEventLine(event as StoredEvent);
  const WRITTEN: Readonly<Record<string, () => string>> = {
    'made by a newer version': () => {
      const [first, ...others] = events.split('\n');
      return makeLine({ ...withoutCrc(first as string), format: 9, version: '9.1.0' }) + others.join('\n');
    },
    'that a newer version went on with': () => {
      const seq = events.split('\n').length;
      const at = '2027-01-01T00:00:00.000Z';
      return `${events}${makeLine({ seq, at, type: 'format-raised', format: 9, version: '9.1.0' })}${makeLine({ seq: seq + 1, at, type: 'of-later' })}`;
    },
  };
  for (const [how, write] of Object.entries(WRITTEN)) {
    for (const { command } of someOf(READERS, 8)) {
      it(`${how} is refused by ${command}, in one sentence, and stays unchanged`, async () => {
        writeFileSync(join(world.state, 'events.jsonl'), write());
        const digest = digestFolder(world.state);
        const { exitCode, stdout, stderr } = await world.run([...command.split(' '), ...STATE_FLAGS]);
        assert.equal(exitCode, 1, stderr);
        assert.match(stderr, NEWER);
        assert.ok(stderr.includes('the state directory state/notes@simulator was written'), stderr);
        assert.equal(stderr.trimEnd().split('\n').length, 1, stderr);
        assert.equal(stdout, '');
        assert.equal(digestFolder(world.state), digest);
      });
    }
  }

  it('records its format and version, and so do the files of a run', async (t) => {
    const fresh = copyStateOfBefore('batch-finished');
    t.after(fresh.dispose);
    assert.equal((await fresh.run(['run', 'job.yaml', '--simulate', '--state-dir', 'other'])).exitCode, 0);
    const state = join(fresh.folder, 'other', 'notes@simulator');
    const [first] = readFileSync(join(state, 'events.jsonl'), 'utf8').split('\n');
    const { type, format, version } = withoutCrc(first as string);
    assert.deepEqual({ type, format, version }, { type: 'state-created', format: FORMATS.state, version: VERSION });
    const [run] = readdirSync(join(state, 'runs'));
    const kept = JSON.parse(readFileSync(join(state, 'runs', run as string, 'summary.json'), 'utf8'));
    assert.deepEqual([kept.summary.schema, kept.version], [`rowmill.summary/${FORMATS.summary}`, VERSION]);
  });
});

describe('files of a run that a newer version wrote', () => {
  const worlds: World[] = [];
  const copy = (world: World) => {
    const copied = copyStateOfBefore('batch-finished');
    worlds.push(copied);
    cpSync(world.folder, copied.folder, { recursive: true });
    return copied;
  };
  after(() => {
    for (const world of worlds) world.dispose();
  });

  for (const which of ['older', 'last'] as const) {
    let world: World;
    let runs: readonly string[];

    before(async () => {
      world = copyStateOfBefore('batch-finished');
      worlds.push(world);
      writeFileSync(join(world.folder, 'gold.csv'), GOLD);
      assert.equal((await world.run(['run', 'job.yaml', '--fresh', ...STATE_FLAGS])).exitCode, 0);
      runs = readRuns(world);
      for (const name of ['summary.json', 'report.json']) {
        const file = join(world.state, 'runs', runs.at(which === 'older' ? 0 : -1) as string, name);
        const kept = JSON.parse(readFileSync(file, 'utf8').replaceAll(/rowmill\.(summary|report)\/1/g, 'rowmill.$1/9'));
        writeFileSync(file, JSON.stringify({ ...kept, version: '9.1.0' }));
      }
      // A newer version leaves its own, which is none to this one.
      if (which === 'last') rmSync(join(world.state, 'status.json'));
    });

    for (const { command, writes, [which]: treatment } of someOf(READERS, 8)) {
      it(`is ${treatment} by ${command}, if it is the ${which} of two runs`, async () => {
        const words = command.split(' ').map((word) => ({ A: runs[0] as string, B: runs[1] as string })[word] ?? word);
        const { exitCode, stderr, stdout } = await (writes ? copy(world) : world).run([...words, ...STATE_FLAGS]);
        const told = `${stderr} ${stdout}`.replaceAll(/\s+/g, ' ');
        assert.equal(exitCode, treatment === 'refused' ? 1 : 0, told);
        if (treatment === 'untouched') assert.doesNotMatch(told, /9\.1\.0/);
        else assert.match(told, NEWER);
        assert.equal(told.includes('or newer; it is left out'), treatment === 'left out', told);
      });
    }
  }
});

function withoutCrc(line: string): Record<string, unknown> {
  const { crc: _crc, ...event } = JSON.parse(line);
  return event;
}

/** Ids of the runs, the oldest first. */
function readRuns(world: World): readonly string[] {
  const events = readFileSync(join(world.state, 'events.jsonl'), 'utf8').trimEnd().split('\n');
  return events.map((line) => JSON.parse(line)).flatMap(({ type, run }) => (type === 'run-started' ? [run] : []));
}

/** Of all bytes below a folder. */
function digestFolder(folder: string): string {
  const digest = createHash('sha256');
  for (const file of [...listFiles(folder)].sort()) digest.update(`${file}\n`).update(readFileSync(file));
  return digest.digest('hex');
}
