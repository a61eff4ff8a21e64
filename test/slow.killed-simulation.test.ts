import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { test } from 'node:test';
import { createDice } from '../src/prove/dice.ts';
import type { LifeEnd } from '../src/prove/life.ts';
import { startProcess } from '../src/prove/processes.ts';
import type { SeamPlan } from '../src/prove/seam/plan.ts';
import { renderJob, renderTable } from '../src/prove/table.ts';
import { PROGRAM } from './helpers/program.ts';

/** One row is empty, and skipped. */
const DONE = 3;
const KILLS = 4;
const SEQUENCES = 3;
const MOMENTS = ['before', 'during', 'after'] as const;

/** A simulated job in a folder of its own. */
function makeSimulation(folder: string) {
  fs.mkdirSync(folder);
  fs.writeFileSync(path.join(folder, 'in.csv'), renderTable());
  fs.writeFileSync(path.join(folder, 'job.yaml'), renderJob('batch'));
  const provider = path.join(folder, '.rowmill', 'proof@simulator', 'provider');
  return {
    run: (crash?: SeamPlan['crash']) =>
      startProcess(PROGRAM, {
        args: ['run', path.join(folder, 'job.yaml'), '--simulate', '--json', '--progress', 'none'],
        env: { PATH: process.env.PATH ?? '', HOME: folder, ROWMILL_POLL_MAX: '50ms', ROWMILL_LOOKS: '0.05,0.2,0.6' },
        plan: { under: [`${folder}/`], reportPath: `${folder}.report`, ...(crash === undefined ? {} : { crash }) },
      }).ended,
    readLeft: () => ({
      table: fs.readFileSync(path.join(folder, 'out.csv'), 'utf8'),
      bill: fs
        .readFileSync(path.join(provider, 'bill.jsonl'), 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).customId)
        .toSorted(),
    }),
  };
}

/** `rowmill prove` keeps its simulator outside of what it kills. */
test('a run of --simulate that is killed with its simulator, again and again, ends with the undisturbed table and bill', async (t) => {
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'rowmill-')));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const undisturbed = makeSimulation(path.join(folder, 'undisturbed'));
  const { exitCode, stderr, report } = await undisturbed.run();
  assert.equal(exitCode, DONE, stderr);
  const dice = createDice(2);
  let killed = 0;
  for (let sequence = 1; sequence <= SEQUENCES; sequence += 1) {
    const simulation = makeSimulation(path.join(folder, String(sequence)));
    let end: LifeEnd | null = null;
    for (let kills = 0; kills < KILLS && end?.exitCode !== DONE; kills += 1) {
      end = await simulation.run({ at: dice.between(1, Math.ceil(report.operations.length / 3)), moment: dice.pick(MOMENTS) });
      if (end.exitCode === null) killed += 1;
    }
    if (end?.exitCode !== DONE) end = await simulation.run();
    assert.equal(end.exitCode, DONE, end.stderr);
    assert.deepEqual(simulation.readLeft(), undisturbed.readLeft(), `sequence ${sequence}`);
  }
  assert.ok(killed >= 2 * SEQUENCES, `${killed} kills`);
});
