import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { usesAttempt } from '../src/core/outcome.ts';
import { decideOutcome, type ResponseLine, readResponseLine } from '../src/core/response-line.ts';
import { stripLine } from '../src/ledger/upkeep/strip-line.ts';
import { readShapes } from './helpers/world-shapes.ts';

const takeText = (text: string) => ({ ok: true as const, value: text });

/** What decides what a line cost; model, tier and usage of what was not billed decide nothing. */
function readFacts(line: ResponseLine) {
  const { isBilled, usage, model, tier, createdSeconds, status } = decideOutcome(line, takeText);
  return { isBilled, usesAttempt: usesAttempt(status), billed: isBilled ? { usage, model, tier, createdSeconds } : null };
}

describe('the part of a removed answer that is kept', () => {
  it('costs the same, for every shape in fixtures/world, and contains none of its text', () => {
    const shapes = readShapes().filter(({ kind }) => kind === 'answer' || kind === 'line');
    assert.ok(shapes.length > 100);
    for (const { name, line, body } of shapes) {
      const response = { status_code: 200, request_id: 'r', body };
      const text = JSON.stringify(line ?? { id: 'batch_req_1', custom_id: 'A'.repeat(22), response, error: null });
      const before = readResponseLine(text);
      const stripped = stripLine(text);
      const after = readResponseLine(stripped);
      assert.equal(after.status, before.status, name);
      if (before.status !== 'line' || after.status !== 'line') continue;
      assert.deepEqual(readFacts(after.line), readFacts(before.line), `${name}: ${text}\n${stripped}`);
      assert.doesNotMatch(stripped, /"content"|message":"(?!removed|Request too large)/, name);
    }
  });

  it('distinguishes lines without an id, and hides the ids of other programs', () => {
    const make = (customId: string, content: string) =>
      stripLine(JSON.stringify({ custom_id: customId, response: { status_code: 200, body: { choices: [{ message: { content } }] } } }));
    assert.notEqual(make('A'.repeat(22), 'one'), make('A'.repeat(22), 'two'));
    assert.doesNotMatch(make('Jane Doe', 'one'), /Jane/);
    assert.equal(stripLine('not JSON'), '{}');
  });
});
