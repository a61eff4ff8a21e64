import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPaint } from '../src/cli/render/paint.ts';
import { makeExcerpt, renderPrompt } from '../src/cli/render/render-prompt.ts';

const LABELS = Array.from({ length: 40 }, (_, index) => `label-${index}`);
const REQUEST = {
  messages: [{ role: 'user', content: 'Which label?' }],
  response_format: { type: 'json_schema', json_schema: { schema: { enum: LABELS } } },
  max_completion_tokens: 300,
};

test('the parameters of a request are shown in full if the request was asked for, and shortened in a plan', () => {
  const whole = renderPrompt(REQUEST, createPaint(false));
  assert.ok(whole.includes('label-39') && whole.endsWith('"max_completion_tokens": 300 }'), whole);
  assert.match(renderPrompt(REQUEST, createPaint(false), makeExcerpt('rowmill plan job.yaml --prompts 1')), /"label-\d+".*…$/);
});
