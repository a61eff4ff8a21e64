import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readGeneral } from '../src/batch/rejection.ts';
import { isModelCode } from '../src/core/answer/refusal-codes.ts';
import { classifyFailure } from '../src/openai/classify.ts';

const error = (code: string | null, message: string, more: object = {}) => ({
  error: { message, type: 'invalid_request_error', param: null, code, ...more },
});

/** What providers say of a model that is not there any more, or not for this key; with whom it was seen. */
const REFUSED: readonly (readonly [status: number, body: object])[] = [
  [404, error('model_not_found', 'The model `gpt-4-32k` does not exist or you do not have access to it.')], // OpenAI, janhq/jan#6595
  [403, error('model_not_found', 'Project `proj_x` does not have access to model `gpt-4`')], // OpenAI
  [400, error('model_not_found', "The requested model 'gpt-4' cannot be used here")],
  [400, error('model_decommissioned', 'The model `qwen-2.5-coder-32b` has been decommissioned and is no longer supported.')], // Groq, bitcrowd/exmeralda#49
  [
    410,
    {
      error: {
        code: 'ModelDeprecated',
        message: 'The model associated with the deployment is deprecated and no longer available for use.',
      },
    },
  ], // Azure, epam/ai-dial-chat#4403
  [404, { error: { code: 'DeploymentNotFound', message: 'The API deployment for this resource does not exist.' } }], // Azure
  [410, { error: { code: 410, type: 'model_gone', message: 'Model kimi-k2.5 has been retired.' } }], // getkimchi/kimchi#1176
  [
    410,
    { error: { type: 'bad_response_status_code', message: "The model 'deepseek-v4' has reached its end and is no longer available." } },
  ], // caidaoli/ccLoad#107
  [400, { object: 'error', message: 'Invalid model: gpt-x', type: 'invalid_model', param: null, code: '1500' }], // Mistral
];
/** What is about the key, or about the row. */
const OTHERS: readonly (readonly [status: number, body: object])[] = [
  [403, error('missing_scope', 'You have insufficient permissions for this operation.')],
  [401, error('invalid_api_key', 'Incorrect API key provided.')],
  [400, error('context_length_exceeded', "This model's maximum context length is 8192 tokens.", { param: 'messages' })],
  [404, error(null, 'No batch found with id batch_1.')],
  [500, error(null, 'The model produced invalid content.')],
];

const classify = ([status, body]: readonly [number, object]) =>
  classifyFailure({ status, error: { text: JSON.stringify(body) } }, new Date(), { type: 'live', baseUrl: 'https://api.example/v1' });

test('a refusal of the model is known in every form, under 403 and 410 too, and stops a run with exit 4', () => {
  for (const refused of REFUSED) {
    const failure = classify(refused);
    assert.deepEqual([failure.kind, failure.exitCode, isModelCode(failure.code)], ['stop', 4, true], JSON.stringify(refused));
    assert.match(failure.message, /^the provider does not offer this model: /);
  }
  for (const other of OTHERS) {
    const failure = classify(other);
    assert.equal(isModelCode(failure.code), false, JSON.stringify(other));
    assert.doesNotMatch(failure.message, /does not offer this model/);
  }
});

test('a batch that fails validation for its model is the job’s refusal, whatever the code is called', () => {
  for (const code of ['model_not_found', 'model_decommissioned', 'ModelDeprecated', 'unsupported_model'])
    assert.equal(readGeneral(code, 'm', 'body.model')?.type, 'job-refused');
  assert.equal(readGeneral('mismatched_model', 'm', 'body.model'), null);
});
