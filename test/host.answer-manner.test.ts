import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageError } from '../src/core/errors.ts';
import { readAnswerManner } from '../src/host/answer-manner.ts';

const READ = [
  [{}, { answers: 'lifelike', noise: 0, degrade: 0 }],
  [
    { ROWMILL_SIMULATE_ANSWERS: '', ROWMILL_SIMULATE_NOISE: '' },
    { answers: 'lifelike', noise: 0, degrade: 0 },
  ],
  [
    { ROWMILL_SIMULATE_ANSWERS: 'plain', ROWMILL_SIMULATE_NOISE: '0.5' },
    { answers: 'plain', noise: 0.5, degrade: 0 },
  ],
  [{ ROWMILL_SIMULATE_DEGRADE: '1' }, { answers: 'lifelike', noise: 0, degrade: 1 }],
] as const;

test('the environment decides how the built-in simulator answers', () => {
  for (const [env, manner] of READ) assert.deepEqual(readAnswerManner(env), manner);
});

const REFUSED = [
  [{ ROWMILL_SIMULATE_ANSWERS: 'Plain' }, 'ROWMILL_SIMULATE_ANSWERS: lifelike or plain, not "Plain"'],
  [{ ROWMILL_SIMULATE_NOISE: '0.6' }, 'ROWMILL_SIMULATE_NOISE: a share from 0 to 0.5, not "0.6"'],
  [{ ROWMILL_SIMULATE_DEGRADE: '20%' }, 'ROWMILL_SIMULATE_DEGRADE: a share from 0 to 1, not "20%"'],
  [{ ROWMILL_SIMULATE_DEGRADE: '-0.1' }, 'ROWMILL_SIMULATE_DEGRADE: a share from 0 to 1, not "-0.1"'],
] as const;

test('an invalid value is refused by the name of its variable', () => {
  for (const [env, message] of REFUSED) assert.throws(() => readAnswerManner(env), new UsageError(message));
});
