import { makeJobSchema } from './job-schema.ts';
import { type SchemaNode, splitTypes } from './split-types.ts';

/** The default of each key; keys without one are not listed. By path, with `[]` for the items of a list. */
const DEFAULTS: Readonly<Record<string, unknown>> = {
  description: '',
  'input.quote': 'standard',
  'input.skip_lines': 0,
  'input.bad_rows': 'refuse',
  'input.split.overlap': 0,
  endpoint: '/v1/chat/completions',
  mode: 'batch',
  'prompt.images.[].detail': 'auto',
  'examples.count': 5,
  'examples.seed': 1,
  votes: 1,
  params: {},
  'params.prompt_cache': 'auto',
  'notify.form': 'json',
  'notify.on': ['failed', 'stopped', 'uncollected', 'shifted'],
  confirm_over: 1,
  'retry.attempts': 3,
  on_unknown: 'retry',
  dedupe: true,
  'write.timezone': 'UTC',
  'write.keep': 'all',
  'write.prefix': '',
  'write.delimiter': ',',
  'write.excel': false,
  'fail_if.failed_rows': '> 0',
  'fail_if.skipped_rows': '> 0',
};

/** A sensible value of each key, for editors to show; for keys that contain others, one of each of those. */
const EXAMPLES: Readonly<Record<string, unknown>> = {
  name: 'review-sentiment',
  description: 'Sentiment of last night’s reviews',
  input: { path: 'reviews.csv', id: 'review_id' },
  'input.path': 'reviews.csv',
  'input.documents': 'inbox/**/*.{txt,md}',
  'input.format': 'jsonl',
  'input.delimiter': ';',
  'input.encoding': 'windows-1252',
  'input.columns': ['review_id', 'text'],
  'input.header': false,
  'input.sheet': 'Reviews',
  'input.split': { column: 'text', tokens: 4000, overlap: 200 },
  'input.split.column': 'text',
  'input.split.tokens': 4000,
  'input.split.overlap': 200,
  'input.quote': 'none',
  'input.skip_lines': 2,
  'input.bad_rows': 'skip',
  'input.where': 'lang == "en" and stars < 3',
  'input.id': 'review_id',
  model: 'gpt-6-luna',
  endpoint: '/v1/responses',
  mode: 'live',
  prompt: { system: 'You read product reviews. Reply in JSON.', user: '{{ product }}: {{ text }}' },
  'prompt.system': 'You read product reviews. Reply in JSON.',
  'prompt.user': '{{ product }}: {{ text }}',
  'prompt.images': ['{{ photo }}'],
  'prompt.images.[].url': '{{ photo }}',
  'prompt.images.[].detail': 'low',
  'prompt.files': ['{{ path }}'],
  messages: [{ role: 'user', content: '{{ text }}' }],
  'messages.[].role': 'user',
  'messages.[].content': '{{ text }}',
  output: { sentiment: 'negative | neutral | positive', score: 'number -1..1' },
  labels: { billing: 'charges, invoices, refunds', bug: 'something is broken', other: 'none of the above' },
  examples: { path: 'labelled.csv', count: 5 },
  'examples.path': 'labelled.csv',
  'examples.input': { text: 'body' },
  'examples.output': { label: 'gold' },
  'examples.count': 5,
  'examples.seed': 1,
  'examples.holdout': 'holdout.csv',
  votes: 3,
  confidence: 'logprobs',
  params: { reasoning_effort: 'none', max_output_tokens: 60 },
  'params.max_output_tokens': 60,
  'params.temperature': 0,
  'params.top_p': 0.9,
  'params.seed': 1,
  'params.presence_penalty': 0.5,
  'params.frequency_penalty': 0.5,
  'params.reasoning_effort': 'none',
  'params.verbosity': 'low',
  'params.service_tier': 'priority',
  'params.prompt_cache': 'auto',
  'params.logprobs': true,
  'params.top_logprobs': 5,
  'params.dimensions': 256,
  'params.stop': ['\n\n'],
  'params.extra': { enable_thinking: false },
  limits: { rpm: 500, tpm: 200_000, concurrency: 16 },
  'limits.rpm': 500,
  'limits.tpm': 200_000,
  'limits.concurrency': 16,
  'limits.enqueued_tokens': 2_000_000,
  notify: { url_env: 'SLACK_WEBHOOK', form: 'slack' },
  'notify.url_env': 'SLACK_WEBHOOK',
  'notify.form': 'slack',
  'notify.on': ['failed', 'stopped'],
  budget: { usd: 2, usd_per_month: 30 },
  'budget.usd': 2,
  'budget.usd_per_row': 0.002,
  'budget.usd_per_month': 30,
  'budget.usd_total': 100,
  confirm_over: 5,
  retry: { attempts: 3 },
  'retry.attempts': 3,
  on_unknown: 'hold',
  dedupe: false,
  write: { path: 'reviews.out.csv', keep: 'all' },
  'write.path': 'out/{{ run.date }}.csv',
  'write.timezone': 'Europe/Berlin',
  'write.keep': ['review_id', 'text'],
  'write.prefix': 'llm_',
  'write.delimiter': ';',
  'write.excel': true,
  stop_if: { failed: '> 10% of first 200' },
  'stop_if.*': '> 20% of first 200',
  pilot: 50,
  fail_if: { failed_rows: '> 1%' },
  'fail_if.failed_rows': '> 1%',
  'fail_if.skipped_rows': '> 5',
};

/** The schema of a job file for editors: with an `$id`, and the default and an example of each key. */
export function makeEditorSchema(): object {
  const { $schema, ...schema } = makeJobSchema() as SchemaNode;
  annotate(schema, '');
  return { $schema, $id: 'urn:rowmill:job', ...splitTypes(schema) };
}

function annotate(node: SchemaNode, path: string): void {
  for (const [key, child] of Object.entries(node.properties ?? {})) {
    const at = path === '' ? key : `${path}.${key}`;
    if (at in DEFAULTS) child.default = DEFAULTS[at];
    const example = EXAMPLES[at] ?? EXAMPLES[`${path}.*`];
    if (example !== undefined) child.examples = [example];
    annotate(child, at);
  }
  for (const branch of [node.items, ...((node.items?.oneOf ?? node.items?.anyOf ?? []) as SchemaNode[])]) {
    if (branch !== undefined) annotate(branch, `${path}.[]`);
  }
}
