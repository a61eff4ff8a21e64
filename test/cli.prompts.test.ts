import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Plan } from '../src/run/plan/plan-result.ts';
import { createWorld, REVIEW_JOB, REVIEWS, type World } from './helpers/command-line.ts';
import { wideTest } from './helpers/wide.ts';

const LONG = Array.from({ length: 40 }, (_, index) => `line ${index}`).join('\\n    ');

describe('plan --prompts', () => {
  let world: World;
  before(() => {
    const job = REVIEW_JOB.replace('"Which sentiment? {{ text }}"', `|\n    {{ text }}\n    ${LONG.replaceAll('\\n', '\n')}`);
    world = createWorld({ 'reviews.csv': REVIEWS, 'job.yaml': job });
  });
  after(() => world.dispose());

  it('shows the requested number of prompts in full, each under its row', async () => {
    const { stdout } = await world.run(['plan', 'job.yaml', '--prompts', '3']);
    assert.deepEqual(
      [...stdout.matchAll(/^prompt .*$/gm)].map(([title]) => title),
      ['prompt 1 of 3  reviews.csv:2, id 1', 'prompt 2 of 3  reviews.csv:3, id 2', 'prompt 3 of 3  reviews.csv:4, id 3'],
    );
    assert.equal(stdout.match(/^ {2}line 39$/gm)?.length, 3);
    assert.doesNotMatch(stdout, /more characters/);
    assert.match(
      (await world.run(['plan', 'job.yaml'])).stdout,
      /\n… 232 more characters; the whole prompt: rowmill plan job\.yaml --prompts 1\n/,
    );
  });

  it('has them in its object, and no more than exist', async () => {
    const plan = await world.json<Plan>(['plan', 'job.yaml', '--prompts', '99']);
    assert.deepEqual(
      plan.requests?.map(({ id, line }) => [id, line]),
      [
        ['1', 2],
        ['2', 3],
        ['3', 4],
        ['6', 7],
      ],
    );
    assert.deepEqual(plan.requests?.[0]?.request, plan.firstRequest);
    assert.equal((await world.json<Plan>(['plan', 'job.yaml'])).requests, undefined);
  });

  wideTest('says so if nothing is to be sent, and with --fresh shows what would be sent again', async () => {
    assert.equal((await world.run(['run', 'job.yaml', '--simulate'])).exitCode, 0);
    assert.match(
      (await world.run(['plan', 'job.yaml', '--simulate', '--prompts', '2'])).stdout,
      /^no prompt: there is nothing to send; --fresh/m,
    );
    assert.match(
      (await world.run(['plan', 'job.yaml', '--simulate', '--prompts', '2', '--fresh'])).stdout,
      /^prompt 2 of 2 {2}reviews\.csv:3/m,
    );
    const none = await world.run(['plan', 'job.yaml', '--prompts', '0']);
    assert.deepEqual(
      [none.exitCode, none.stderr.split('\n')[0]],
      [2, "error: option '--prompts <n>' argument '0' is invalid. Give a number above 0."],
    );
  });
});
