import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readGeneral } from '../src/batch/rejection.ts';
import { isModelCode } from '../src/core/answer/refusal-codes.ts';
import { decideOutcome } from '../src/core/response-line.ts';
import { classifyFailure } from '../src/openai/classify.ts';

const error = (code: string | null, message: string, more: object = {}) => ({
  error: { message, type: 'invalid_request_error', param: null, code, ...more },
});

/** What providers say of a model that no longer exists, or not for this key; with whom it was seen. */
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
  // In words alone.
  [400, error('invalid_request_error', 'Model Not Exist')], // DeepSeek
  [400, error('InvalidParameter', 'Model not exist.')], // DashScope
  [400, error('20012', 'Model does not exist. Please check it carefully.')], // SiliconFlow
  [400, error(null, 'Model not found: grok-x')], // xAI
  [400, error(null, 'invalid model ID')], // OpenAI
  [400, error('400', 'openai/gpt-x is not a valid model ID')], // OpenRouter
  [404, error('404', 'No endpoints found for openai/gpt-4-32k.')],
  [404, error('404', 'models/gemini-x is not found for API version v1main, or is not supported for generateContent.')], // Gemini
  [404, error('not_found_error', 'model: claude-x')], // Anthropic
  [404, error(null, 'model "gpt-x" not found, try pulling it first', { type: 'api_error' })], // Ollama
  [404, error('NOT_FOUND', 'Model not found, inaccessible, and/or not deployed')], // Fireworks
  [400, error('400', 'litellm.BadRequestError: LLM Provider NOT provided. You passed model=gpt-x')], // LiteLLM
  [401, error('401', 'key not allowed to access model.', { type: 'key_model_access_denied', param: 'model' })],
  [403, error('model_permission_blocked_project', 'The model `x` is blocked at the project level.')], // Groq
  [400, error('model_terms_required', 'The model `x` requires terms acceptance.')],
  [404, { object: 'error', message: 'The model `gpt-x` does not exist.', type: 'NotFoundError', param: null, code: 404 }], // vLLM
];
/** What is about the key, or about the row. */
const OTHERS: readonly (readonly [status: number, body: object])[] = [
  [403, error('missing_scope', 'You have insufficient permissions for this operation.')],
  [401, error('invalid_api_key', 'Incorrect API key provided.')],
  [400, error('context_length_exceeded', "This model's maximum context length is 8192 tokens.", { param: 'messages' })],
  [404, error(null, 'No batch found with id batch_1.')],
  [400, error(null, 'This model does not support image inputs.')],
  [400, error(null, 'Unknown model parameter: top_k')],
  [400, error(null, 'Invalid image for this model: the file was not found')],
  [404, error('404', 'No endpoints found that support image input')],
  [500, error(null, 'The model produced invalid content.')],
];

const classify = ([status, body]: readonly [number, object]) =>
  classifyFailure({ status, error: { text: JSON.stringify(body) } }, new Date(), { type: 'live', baseUrl: 'https://api.example/v1' });

test('a refusal of the model is recognised in every form, under 403 and 410 too, and stops a run with exit 4', () => {
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

test('it is recognised in the lines of a batch as well: their rows wait instead of failing', () => {
  const outcomeOf = ([status, body]: readonly [number, object]) =>
    decideOutcome({ id: 'l1', custom_id: 'k', response: { status_code: status, request_id: 'r', body }, error: null }, () =>
      assert.fail('there is no answer'),
    );
  for (const refused of REFUSED) {
    const { status, code } = outcomeOf(refused);
    assert.deepEqual([status, isModelCode(code)], ['rate_limited', true], JSON.stringify(refused));
  }
  for (const other of OTHERS) assert.equal(isModelCode(outcomeOf(other).code), false, JSON.stringify(other));
});

test('a batch whose validation fails because of its model refuses the job, whatever the code', () => {
  for (const code of ['model_not_found', 'model_decommissioned', 'ModelDeprecated', 'unsupported_model'])
    assert.equal(readGeneral(code, 'm', 'body.model')?.type, 'job-refused');
  assert.equal(readGeneral('invalid_request', 'The provided model `gpt-x` does not exist.', null)?.type, 'job-refused');
  assert.equal(readGeneral('mismatched_model', 'm', 'body.model'), null);
});

test('a refused key is named by where it came from', () => {
  const call = { type: 'read', baseUrl: 'https://api.example/v1', keySource: 'OPENAI_API_KEY of .env' } as const;
  const { message } = classifyFailure({ status: 401, error: { text: '{"error":{"message":"Incorrect API key"}}' } }, new Date(), call);
  assert.equal(message, 'the provider refused the API key in OPENAI_API_KEY of .env: 401 Incorrect API key');
});
