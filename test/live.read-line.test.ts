import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readResponseLine } from '../src/core/response-line.ts';
import { createMakeCall } from '../src/live/call.ts';
import { anyText } from './helpers/any-text.ts';
import { runsOf } from './helpers/wide.ts';

const { signal } = new AbortController();

test('an answer judged on arrival equals the one read from its line, whatever its body and layout', async () => {
  const property = fc.asyncProperty(
    fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('choices', 'error', 'usage', '__proto__')), fc.jsonValue({ maxDepth: 4 })),
    fc.constantFrom('', '  ', '\t', '\r\n '),
    fc.integer({ min: 200, max: 299 }),
    anyText({ maxLength: 30 }),
    async (members, indent, statusCode, requestId) => {
      const bodyText = JSON.stringify(members, null, indent);
      const body = JSON.parse(bodyText) as Record<string, unknown>;
      const makeCall = createMakeCall({
        provider: { callEndpoint: async () => ({ status: 'answered', statusCode, requestId, headers: new Headers(), bodyText, body }) },
        makeLineId: () => 'live_1',
        clock: () => new Date(0),
        monotonicMs: () => 0,
      });
      const request = { key: 'k', customId: 'k', url: '/v1/chat/completions', body: '{}' };
      const outcome = await makeCall(request, { queuedAt: new Date(0), signal });
      assert.ok(outcome.status === 'answered');
      assert.deepEqual({ status: 'line', line: outcome.read }, readResponseLine(outcome.line));
    },
  );
  await fc.assert(property, { numRuns: runsOf(300, 10) });
});
