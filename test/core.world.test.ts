import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findControls } from '../src/core/answer/control-characters.ts';
import { decideOutcome, readResponseLine } from '../src/core/response-line.ts';
import { compileRules } from '../src/input/answer/compile-rules.ts';
import { findDifferences, isAskedAgain, makeShapeJob, readShapes, type Shape } from './helpers/world-shapes.ts';

for (const shape of readShapes().filter(({ kind }) => kind === 'answer' || kind === 'line')) {
  test(`${shape.name} is ${shape.want.outcome}`, () => {
    const outcome = decide(shape);
    const differences = [...findDifferences(shape, outcome)];
    const { askedAgain } = shape.want;
    if (askedAgain !== undefined && isAskedAgain(outcome) !== askedAgain) differences.push(`asked again: ${!askedAgain}`);
    assert.deepEqual(differences, []);
  });
}

function decide(shape: Shape) {
  const { checkAnswer } = compileRules(makeShapeJob(shape));
  const response = { status_code: 200, request_id: 'req_1', body: shape.body };
  const line = shape.line ?? { id: 'batch_req_1', custom_id: '@KEY@', response, error: null };
  const reading = readResponseLine(JSON.stringify(line));
  assert.ok(reading.status === 'line');
  return decideOutcome(reading.line, checkAnswer, () => findControls(shape.prompt ?? ''));
}
