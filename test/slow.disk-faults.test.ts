import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { makeReadOptions } from '../src/cli/read-options.ts';
import { verifyState } from '../src/inspect/verify/verify.ts';
import { checkDamage, DAMAGES } from './helpers/damage.ts';
import { assertTold, makeDiskWorld, readResult, readUndisturbed } from './helpers/disk-world.ts';
import { countPosts, makeWorld } from './helpers/run-world.ts';

/** A run makes far fewer of them. */
const MAX_OPERATIONS = 400;

/** No file can be opened at each operation of a run, every other time for good; then the same command is typed again. */
for (const mode of ['batch', 'live'] as const) {
  test(`EMFILE at each operation of a ${mode} run: a sentence, and afterwards the undisturbed table and bill`, async (t) => {
    const undisturbed = await readUndisturbed(mode);
    let nth = 1;
    for (; nth < MAX_OPERATIONS; nth += 1) {
      const isLasting = nth % 2 === 0;
      const disk = await makeDiskWorld(mode);
      try {
        const broken = await disk.runBroken({ errno: 'EMFILE', nth, isLasting });
        const place = `EMFILE at operation ${nth}${isLasting ? ' and after it' : ''}, ${broken.fired[0]}`;
        if (broken.fired.length === 0) {
          assert.equal(broken.ended?.summary.exitCode, 0, broken.error?.message);
          break;
        }
        assertTold(broken, place);
        const { summary } = await disk.run();
        assert.equal(summary.exitCode, 0, place);
        assert.deepEqual(readResult(disk), undisturbed, place);
      } finally {
        await disk.close();
      }
    }
    assert.ok(nth > 50 && nth < MAX_OPERATIONS, `${nth - 1} operations were made to fail`);
    t.diagnostic(`${nth - 1} operations`);
  });
}

for (const kind of Object.keys(DAMAGES)) {
  test(`derived files that are ${kind} cost a warning and no answer`, (t) => checkDamage(t, kind));
}

test('rows held because of altered bytes are sent again only by retry', async (t) => {
  const world = await makeWorld(t, { rows: [['r1', 'a note']] });
  await world.run();
  const responses = path.join(world.stateDirectory, 'responses');
  const file = path.join(responses, fs.readdirSync(responses)[0] ?? '');
  fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace('a note', 'a nope'));
  fs.rmSync(world.path('out.csv'));
  const held = await world.run();
  assert.deepEqual([held.summary.causes, countPosts(held.requests)], [{ unknown: 1 }, 0]);
  const again = await world.run({ reopen: { causes: new Set(['unknown']), set: {} } });
  assert.deepEqual([again.summary.exitCode, again.summary.rows.ok], [0, 1]);
  assert.equal(world.simulator.bill().length, 2);
});

test('anything but a regular file in place of the log or of answers is named, and nothing is sent', async (t) => {
  const world = await makeWorld(t, { rows: [['r1', 'a note']] });
  await world.run();
  const responses = path.join(world.stateDirectory, 'responses');
  const names = [path.join('responses', fs.readdirSync(responses)[0] ?? ''), 'events.jsonl'];
  const posts = world.simulator.bill().length;
  for (const [name, kind, word] of names.flatMap((file) => [[file, 'a FIFO', 'a FIFO'] as const, [file, 'a link', 'a link'] as const])) {
    const file = path.join(world.stateDirectory, name);
    const whole = fs.readFileSync(file);
    DAMAGES[kind]?.(file);
    await assert.rejects(world.run(), {
      name: 'LedgerError',
      message: new RegExp(`${path.basename(name)}: ${word} is in the place of a file`),
    });
    fs.rmSync(file);
    fs.writeFileSync(file, whole);
  }
  assert.equal(world.simulator.bill().length, posts);
});

test('endless zeros after the log are reported with their position, and those after derived lines cost nothing', async (t) => {
  const world = await makeWorld(t, { rows: [['r1', 'a note']] });
  await world.run();
  const options = { ...makeReadOptions(world.path('job.yaml'), {}), cwd: world.directory };
  DAMAGES.huge?.(path.join(world.stateDirectory, 'settled.jsonl'));
  assert.deepEqual(
    (await verifyState(options)).checks.filter(({ status }) => status === 'failed'),
    [],
  );
  const log = path.join(world.stateDirectory, 'events.jsonl');
  const { size } = fs.statSync(log);
  DAMAGES.huge?.(log);
  const message = new RegExp(`events.jsonl: from byte ${size} on it has no end of a line`);
  await assert.rejects(world.run(), { name: 'LedgerError', message });
});
