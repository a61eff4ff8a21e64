import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Summary } from '../src/core/summary.ts';
import { createWorld, type Ended, type World } from './helpers/command-line.ts';
import { wideTest } from './helpers/wide.ts';

describe('demo', () => {
  let world: World;
  let first: Ended;
  before(async () => {
    world = createWorld({});
    first = await world.run(['demo']);
  });
  after(() => world.dispose());

  it('says on its first line that figures are simulated', () => {
    assert.equal(first.exitCode, 0, first.stderr);
    assert.match(first.stdout.split('\n')[0] ?? '', /^Simulated: .*figure/);
  });

  it('shows rows of the tables, the totals, the spend, the paths and what to type next', () => {
    assert.match(first.stdout, /^product +Review Text +llm_sentiment +llm_score/m);
    assert.match(first.stdout, /^TH-301 +Refund still missing/m);
    const sum = /rows in (\d+) = ok (\d+) \+ failed (\d+) \+ skipped (\d+) \+ pending (\d+)/.exec(first.stdout)?.slice(1).map(Number) ?? [];
    const [rows = 0, ...parts] = sum;
    assert.ok(rows > 100);
    assert.equal(
      parts.reduce((total, part) => total + part, 0),
      rows,
    );
    assert.match(first.stdout, /spent \$0\.\d+ \(simulated\)/);
    for (const [, path = ''] of first.stdout.matchAll(/^table +(\S+)$/gm)) assert.ok(existsSync(join(world.folder, path)), path);
    assert.match(first.stdout, /What to type next:\n {2}rowmill /);
  });

  wideTest('suggests commands that work as typed', async () => {
    const commands = [...first.stdout.matchAll(/^ {2}rowmill (\w+ .*)$/gm)].map((match) => match[1] as string);
    assert.deepEqual(
      commands.map((command) => command.split(' ')[0]),
      ['report', 'eval', 'verify', 'run'],
    );
    for (const command of commands) {
      const ended = await world.run([...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? ''));
      assert.equal(ended.exitCode, 0, `${command}: ${ended.stderr}`);
    }
  });

  it('sends nothing the second time', async () => {
    const { runs, exitCode } = await world.json<{ runs: readonly Summary[] }>(['demo']);
    assert.equal(exitCode, 0);
    assert.equal(runs.length, 3);
    for (const { attempts, cost, rows, simulated } of runs) {
      assert.deepEqual([attempts.total, cost.nanoUsd, rows.pending, simulated], [0, 0, 0, true]);
    }
  });
});
