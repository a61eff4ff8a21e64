/** What a stub answers: a status with JSON, or with a text. */
export interface Reply {
  readonly status: number;
  readonly body?: unknown;
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

// biome-ignore lint/suspicious/noExplicitAny: bodies as the wire carries them.
type Body = any;

export type CapName = 'max_tokens' | 'max_completion_tokens';

/** How a provider differs from OpenAI on the wire, after its published documents; what is not said here is as at OpenAI. */
export interface ProviderProfile {
  readonly name: string;
  /** Its documents, with the date of the copy that was read. */
  readonly documents: string;
  /** Shapes of fixtures/world from public threads that it is known for. */
  readonly shapes: readonly string[];
  /** The hosted address; null where everybody runs it themselves. */
  readonly hosted: string | null;
  /** Where its API lies. */
  readonly basePath: string;
  /** Routes it does not have. */
  readonly noRoute: (method: string, path: string) => Reply;
  /** Names of the output cap it takes. */
  readonly caps: readonly CapName[];
  /** What it says to the other one; null: nothing, and the cap has no effect. */
  readonly refuseCap: ((name: CapName, value: unknown) => Reply) | null;
  /** Other requests it refuses. */
  readonly refuse?: (body: Body) => Reply | null;
  /** Its own form of an answer. */
  readonly shapeAnswer?: (answer: Body) => Body;
  readonly batch: BatchProfile | null;
}

export interface BatchProfile {
  readonly uploadPaths: readonly string[];
  readonly purpose: 'batch' | 'batch-api';
  /** Seconds a file may be kept; null where it takes no such wish. */
  readonly expiry: readonly [least: number, most: number] | null;
  /** Statuses of a file until it is processed. */
  readonly fileStatuses: readonly string[];
  readonly shapeFile?: (file: Body) => Body;
  readonly shapeBatch?: (batch: Body) => Body;
  readonly wrapCreated?: (batch: Body) => Body;
  readonly wrapList?: (batches: readonly Body[]) => Body;
}

const OPENAI_BATCH: BatchProfile = { uploadPaths: ['/files'], purpose: 'batch', expiry: [3600, 2_592_000], fileStatuses: ['processed'] };

const iso = (seconds: number | null) => (seconds === null ? null : new Date(seconds * 1000).toISOString());
const extraForbidden = (name: string, input: unknown) => ({
  type: 'extra_forbidden',
  loc: ['body', name],
  msg: 'Extra inputs are not permitted',
  input,
});
const refuseJsonMode =
  (reply: Reply) =>
  ({ response_format }: Body): Reply | null =>
    response_format?.type === 'json_object' ? reply : null;

export const PROFILES: readonly ProviderProfile[] = [
  {
    name: 'Azure OpenAI, v1',
    documents: 'how-to/batch.md of 2025-08-13 and the v1 reference of 2026',
    shapes: [
      'call-400-prompt-filtered',
      'rate-retry-after-in-words',
      'rate-retry-after-a-day',
      'upload-expiry-out-of-range',
      'upload-expiry-ignored',
    ],
    hosted: 'http://resource.openai.azure.com/openai/v1',
    basePath: '/openai/v1',
    noRoute: () => ({ status: 404, body: { error: { code: '404', message: 'Resource not found' } } }),
    caps: ['max_completion_tokens', 'max_tokens'],
    refuseCap: null,
    shapeAnswer: ({ choices, ...answer }) => ({
      ...answer,
      prompt_filter_results: [{ prompt_index: 0, content_filter_results: {} }],
      choices: choices.map((choice: Body) => ({ ...choice, content_filter_results: { hate: { filtered: false, severity: 'safe' } } })),
    }),
    batch: {
      ...OPENAI_BATCH,
      expiry: [1_209_600, 2_592_000],
      fileStatuses: ['pending', 'running', 'processed'],
      shapeBatch: ({ request_counts: _counts, metadata: _metadata, ...batch }) => ({
        ...batch,
        status: `${batch.status[0].toUpperCase()}${batch.status.slice(1)}`,
        created_at: iso(batch.created_at),
        error_file_id: batch.output_file_id === null ? null : 'file-empty',
        metadata: null,
        request_counts: { total: null, completed: null, failed: null },
      }),
      wrapList: (batches) => ({ value: batches }),
    },
  },
  {
    name: 'Groq',
    documents: 'API description in groq-python 9620fde of 2026-08-18',
    shapes: ['rate-tokens-per-day', 'rate-request-too-large-413', 'rate-flex-498', 'list-404-unknown-request-url'],
    hosted: 'http://api.groq.com/openai/v1',
    basePath: '/openai/v1',
    noRoute: (method, path) => ({
      status: 404,
      body: {
        error: {
          message: `Unknown request URL: ${method} ${path}. Please check the URL for typos.`,
          type: 'invalid_request_error',
          code: 'unknown_url',
        },
      },
    }),
    caps: ['max_completion_tokens', 'max_tokens'],
    refuseCap: null,
    refuse: ({ logprobs }) =>
      logprobs === true
        ? { status: 400, body: { error: { message: "property 'logprobs' is unsupported", type: 'invalid_request_error' } } }
        : null,
    shapeAnswer: ({ usage, ...answer }) => ({
      ...answer,
      service_tier: 'on_demand',
      x_groq: { id: 'req_1', seed: 1 },
      usage: { ...usage, queue_time: 0.018, prompt_time: 0.0021, completion_time: 0.31, total_time: 0.3121 },
    }),
    batch: {
      ...OPENAI_BATCH,
      shapeBatch: ({ metadata: _metadata, usage: _usage, model: _model, ...batch }) => batch,
      wrapList: (batches) => ({ object: 'list', data: batches }),
    },
  },
  {
    name: 'DashScope (Qwen)',
    documents: 'OpenAI compatible batch of 2026-03-31',
    shapes: ['call-400-arrearage', 'call-403-overdue', 'rate-unwrapped-of-dashscope', 'rate-without-a-body', 'upload-filename-empty'],
    hosted: 'http://dashscope-intl.aliyuncs.com/compatible-mode/v1',
    basePath: '/compatible-mode/v1',
    noRoute: () => ({ status: 404, text: '', headers: { 'content-type': 'text/plain' } }),
    caps: ['max_tokens'],
    refuseCap: (name) => ({
      status: 400,
      body: {
        error: {
          code: 'invalid_parameter_error',
          param: null,
          message: `<400> InternalError.Algo.InvalidParameter: Unknown parameter: ${name}`,
          type: 'invalid_request_error',
        },
        id: 'chatcmpl-1',
        request_id: '1',
      },
    }),
    shapeAnswer: ({ choices, ...answer }) => ({
      ...answer,
      choices: choices.map(({ message, ...choice }: Body) => ({ ...choice, message: { content: message.content, reasoning_content: '' } })),
    }),
    batch: {
      ...OPENAI_BATCH,
      shapeFile: (file) => ({ ...file, id: file.id.replace('file-', 'file-batch-'), filename: '' }),
      shapeBatch: ({ metadata: _metadata, ...batch }) => ({
        ...batch,
        output_file_id: batch.output_file_id ?? '',
        error_file_id: '',
        metadata: { ds_name: '', ds_description: '' },
      }),
    },
  },
  {
    name: 'Mistral',
    documents: 'openapi.yaml of 2026-08-21',
    shapes: ['call-422-cap-unknown', 'call-422-another-field', 'rate-code-of-mistral', 'rate-tier-capacity'],
    hosted: 'http://api.mistral.ai/v1',
    basePath: '/v1',
    noRoute: () => ({ status: 404, body: { detail: 'Not Found' } }),
    caps: ['max_tokens'],
    refuseCap: (name, value) => ({
      status: 422,
      body: {
        object: 'error',
        message: { detail: [extraForbidden(name, value)] },
        type: 'invalid_request_error',
        param: null,
        code: null,
        raw_status_code: 422,
      },
    }),
    refuse: (body) => {
      const unknown = ['seed', 'store', 'service_tier', 'logprobs', 'user'].find((name) => name in body);
      return unknown === undefined ? null : { status: 422, body: { detail: [extraForbidden(unknown, body[unknown])] } };
    },
    shapeAnswer: ({ usage: { prompt_tokens_details, ...usage }, ...answer }) => ({
      ...answer,
      usage: { ...usage, prompt_token_details: prompt_tokens_details, num_cached_tokens: 0, prompt_audio_seconds: null },
    }),
    batch: null,
  },
  {
    name: 'Together',
    documents: 'togethercomputer/openapi 090263a of 2026-04-28',
    shapes: ['upload-purpose-unknown', 'create-wrapped-in-job', 'list-bare-array'],
    hosted: 'http://api.together.ai/v1',
    basePath: '/v1',
    noRoute: () => ({ status: 404, body: { error: { message: 'Not found', type: 'invalid_request_error', param: null, code: null } } }),
    caps: ['max_tokens'],
    refuseCap: null,
    shapeAnswer: ({ choices, ...answer }) => ({
      ...answer,
      prompt: [],
      warnings: [],
      choices: choices.map((choice: Body) => ({
        ...choice,
        finish_reason: choice.finish_reason === 'stop' ? 'eos' : choice.finish_reason,
      })),
    }),
    batch: {
      uploadPaths: ['/files', '/files/upload'],
      purpose: 'batch-api',
      expiry: null,
      fileStatuses: [],
      shapeBatch: ({ id, status, input_file_id, output_file_id, error_file_id, created_at, endpoint }) => ({
        ...{
          id,
          status: status.toUpperCase(),
          input_file_id,
          output_file_id,
          error_file_id,
          endpoint,
          user_id: 'u',
          file_size_bytes: 900,
          progress: 0,
        },
        created_at: iso(created_at),
      }),
      wrapCreated: (batch) => ({ job: batch, warning: '' }),
      wrapList: (batches) => batches,
    },
  },
  {
    name: 'OpenRouter',
    documents: 'typescript-sdk cb9393a of 2026-08-22',
    shapes: ['call-402-credits'],
    hosted: 'http://openrouter.ai/api/v1',
    basePath: '/api/v1',
    noRoute: () => ({
      status: 404,
      text: '<!DOCTYPE html><html><head><title>Not Found | OpenRouter</title></head></html>',
      headers: { 'content-type': 'text/html' },
    }),
    caps: ['max_tokens', 'max_completion_tokens'],
    refuseCap: null,
    shapeAnswer: ({ usage, choices, ...answer }) => ({
      ...answer,
      provider: 'Upstream',
      choices: choices.map((choice: Body) => ({ ...choice, native_finish_reason: 'stop' })),
      usage: { ...usage, cost: 0.00002, is_byok: false, cost_details: { upstream_inference_cost: null } },
    }),
    batch: null,
  },
  {
    name: 'vLLM',
    documents: 'docs and pull requests read 2026-11',
    shapes: ['call-404-model-unwrapped', 'call-400-cap-unknown-in-a-text', 'call-404-detail', 'list-404-detail'],
    hosted: null,
    basePath: '/v1',
    noRoute: () => ({ status: 404, body: { detail: 'Not Found' } }),
    caps: ['max_completion_tokens', 'max_tokens'],
    refuseCap: null,
    shapeAnswer: ({ choices, usage, system_fingerprint: _print, service_tier: _tier, ...answer }) => ({
      ...answer,
      kv_transfer_params: null,
      choices: choices.map(({ message, ...choice }: Body) => ({
        ...choice,
        stop_reason: null,
        message: { role: 'assistant', content: message.content, reasoning_content: null, tool_calls: [] },
      })),
      usage: { ...usage, prompt_tokens_details: null, completion_tokens_details: undefined },
    }),
    batch: null,
  },
  {
    name: 'vLLM before 2024-10',
    documents: 'pull request 9837',
    shapes: ['call-400-cap-unknown-in-a-text', 'call-404-model-unwrapped'],
    hosted: null,
    basePath: '/v1',
    noRoute: () => ({ status: 404, body: { detail: 'Not Found' } }),
    caps: ['max_tokens'],
    refuseCap: (name, value) => ({
      status: 400,
      body: {
        object: 'error',
        message: `[{'type': 'extra_forbidden', 'loc': ('body', '${name}'), 'msg': 'Extra inputs are not permitted', 'input': ${value}}]`,
        type: 'BadRequestError',
        param: null,
        code: 400,
      },
    }),
    batch: null,
  },
  {
    name: 'Ollama',
    documents: 'docs/api/openai-compatibility.mdx of 2026-08-21',
    shapes: ['call-404-model-not-pulled', 'call-400-error-as-text', 'call-404-plain-text', 'list-404-plain-text'],
    hosted: null,
    basePath: '/v1',
    noRoute: () => ({ status: 404, text: '404 page not found', headers: { 'content-type': 'text/plain' } }),
    caps: ['max_tokens'],
    refuseCap: null,
    shapeAnswer: ({ usage, service_tier: _tier, ...answer }) => ({
      ...answer,
      system_fingerprint: 'fp_ollama',
      usage: { prompt_tokens: usage.prompt_tokens, completion_tokens: usage.completion_tokens, total_tokens: usage.total_tokens },
    }),
    batch: null,
  },
  {
    name: 'llama.cpp',
    documents: 'tools/server of 2026',
    shapes: ['call-400-context-size-of-llama-cpp', 'call-503-loading-model', 'list-404-error-with-a-number'],
    hosted: null,
    basePath: '/v1',
    noRoute: () => ({ status: 404, body: { error: { code: 404, message: 'File Not Found', type: 'not_found_error' } } }),
    caps: ['max_completion_tokens', 'max_tokens'],
    refuseCap: null,
    shapeAnswer: (answer) => ({ ...answer, timings: { prompt_n: 12, predicted_per_second: 40.5 } }),
    batch: null,
  },
  {
    name: 'LM Studio',
    documents: 'lmstudio-ai/docs c6854fb of 2026-04-29',
    shapes: ['call-200-wrong-path', 'list-200-that-is-an-error'],
    hosted: null,
    basePath: '/v1',
    noRoute: (method, path) => ({ status: 200, body: { error: `Unexpected endpoint or method. (${method} ${path})` } }),
    caps: ['max_tokens'],
    refuseCap: null,
    refuse: refuseJsonMode({ status: 400, body: { error: "'response_format.type' must be 'json_schema' or 'text'" } }),
    batch: null,
  },
  {
    name: 'LiteLLM proxy',
    documents: 'docs.litellm.ai, read 2026-11',
    shapes: ['call-429-budget-of-a-proxy', 'rate-through-a-proxy', 'list-405-json'],
    hosted: null,
    basePath: '/v1',
    noRoute: () => ({ status: 404, body: { detail: 'Not Found' } }),
    caps: ['max_completion_tokens', 'max_tokens'],
    refuseCap: null,
    shapeAnswer: (answer) => ({ ...answer, service_tier: null }),
    batch: {
      ...OPENAI_BATCH,
      shapeFile: (file) => ({
        ...file,
        id: `bGl0ZWxsbV9wcm94${Buffer.from(file.id.repeat(4)).toString('base64url')}`,
        filename: 'modified_file.jsonl',
        bytes: file.bytes + 12,
      }),
    },
  },
];
