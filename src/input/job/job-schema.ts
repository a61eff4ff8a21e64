import { ENDPOINTS, MODES, STOP_SIGNS, type StopSign } from '../../core/job.ts';
import { PARAMS } from '../request/params.ts';
import { makeDelimiterSchema } from './delimiter.ts';
import { makeInputSchema } from './input-schema.ts';
import { makeNotifySchema } from './notify-schema.ts';
import { closed } from './schema-parts.ts';

const POSITIVE_COUNT = { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER };
const MESSAGE_TEXT = { type: 'string', minLength: 1 };

/** The name of a job; it names a directory. */
export const JOB_NAME_PATTERN = '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$';

/**
 * The JSON Schema (draft 2020-12) of a job file, used by editors and to validate every job.
 * A key is added when it works. Unions are distinguished by type alone, so each problem has one message.
 */
export function makeJobSchema(): object {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'rowmill job',
    description: 'One prompt over every row of a table. Paths are relative to the job file.',
    ...closed(
      {
        name: {
          type: 'string',
          pattern: JOB_NAME_PATTERN,
          description: 'Names the job and its state directory: letters, digits, dot, dash and underscore, 64 at most.',
        },
        description: { type: 'string', description: 'For people; sent nowhere.' },
        input: makeInputSchema(),
        model: { type: 'string', minLength: 1, maxLength: 256, description: 'The model, for example gpt-6-luna. One per job.' },
        endpoint: {
          enum: [...ENDPOINTS],
          description: 'The endpoint: /v1/chat/completions (default), /v1/responses, or /v1/embeddings with output: vector.',
        },
        mode: {
          enum: [...MODES],
          description:
            'batch (default): half price, within 24 hours. live: now. flex: live calls at the flex price, where available. auto: decided per run.',
        },
        prompt: {
          type: ['string', 'object'],
          minLength: 1,
          additionalProperties: false,
          minProperties: 1,
          properties: {
            system: { ...MESSAGE_TEXT, description: 'The instructions; constant text here is cheap if the API caches it.' },
            user: { ...MESSAGE_TEXT, description: 'The row, as {{ column }} or {{ row["Odd Name"] }}.' },
            images: {
              type: 'array',
              minItems: 1,
              items: {
                type: ['string', 'object'],
                minLength: 1,
                additionalProperties: false,
                required: ['url'],
                properties: {
                  url: { ...MESSAGE_TEXT, description: 'A web address, a data URL, or a path relative to the job file.' },
                  detail: { enum: ['low', 'high', 'auto'], description: 'How closely the model looks, and what the image costs.' },
                },
              },
              description:
                'Images after the user message’s text: {{ column }} with a web address, a data URL or a path (PNG, JPEG, GIF, WebP), which may be a glob.',
            },
            files: {
              type: 'array',
              minItems: 1,
              items: MESSAGE_TEXT,
              description: 'PDF files after them: a path relative to the job file, which may be a glob, as {{ path }} of documents.',
            },
          },
          description: 'A Liquid template: one user message, or a system and a user message. One final line break is dropped.',
        },
        messages: {
          type: 'array',
          minItems: 1,
          items: closed(
            {
              role: { enum: ['system', 'developer', 'user', 'assistant'], description: 'The role of the message.' },
              content: { ...MESSAGE_TEXT, description: 'A Liquid template over the columns of the row.' },
            },
            { required: ['role', 'content'] },
          ),
          description: 'The whole list of messages, each a Liquid template; instead of prompt.',
        },
        output: {
          type: ['string', 'object'],
          minLength: 1,
          minProperties: 1,
          description:
            'text; vector, with /v1/embeddings; or fields in shorthand (string, number 0..1, a | b | c, label, string[], trailing ? for optional); or a JSON Schema (type: object with properties); or json: object with a schema, for JSON mode.',
        },
        labels: {
          type: ['object', 'array'],
          minProperties: 1,
          minItems: 1,
          uniqueItems: true,
          additionalProperties: { type: ['string', 'null'] },
          items: { type: 'string', minLength: 1 },
          description:
            'A closed set of answers: names with descriptions, or a list of names. `labels` in templates, `label` in output; with output: text the whole answer is one of them.',
        },
        examples: makeExamplesSchema(),
        votes: {
          type: 'integer',
          minimum: 1,
          maximum: 128,
          description: 'How many answers a request asks for; the majority wins. Adds the column _agreement. Default 1.',
        },
        confidence: {
          enum: ['logprobs'],
          description: 'logprobs: adds the column _confidence, the probability the model gave the label it chose.',
        },
        params: closed(
          {
            ...Object.fromEntries(Object.entries(PARAMS).map(([name, { schema }]) => [name, schema])),
            extra: {
              type: 'object',
              description: 'Merged into the body as it is: parameters of one provider, for example enable_thinking: false.',
            },
          },
          { description: 'Parameters of the request; only those set here are sent.' },
        ),
        ...makeRunningSchemas(),
        write: makeWriteSchema(),
        stop_if: closed(
          Object.fromEntries(
            STOP_SIGNS.map((sign) => [sign, { type: ['string', 'integer'], minimum: 0, description: describeSign(sign) }]),
          ),
          {
            minProperties: 1,
            description:
              'Stops the run (exit 5) once more answers than this are bad: "> 20% of first 200", "> 20%" (from the 100th on) or "> 50".',
          },
        ),
        pilot: {
          ...POSITIVE_COUNT,
          description:
            'How many rows to send first; the others follow if their answers pass stop_if (without it: if at most a fifth failed).',
        },
        fail_if: closed(
          {
            failed_rows: {
              type: ['string', 'integer'],
              minimum: 0,
              description: 'More failed rows than this: "> 1%" or "> 5". Default: none are allowed.',
            },
            skipped_rows: { type: ['string', 'integer'], minimum: 0, description: 'Likewise for skipped rows. Default: none are allowed.' },
          },
          { description: 'When a finished run counts as failed (exit 3).' },
        ),
      },
      {
        required: ['name', 'input'],
        // Lines of the Batch API contain the rest.
        if: { properties: { input: { type: 'object', properties: { format: { const: 'requests' } }, required: ['format'] } } },
        // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
        then: {},
        else: { properties: { model: true, output: true }, required: ['model', 'output'] },
      },
    ),
  };
}

function describeSign(sign: StopSign): string {
  if (sign === 'failed') return 'Rows that are not ok, whatever the cause.';
  return sign === 'empty' ? 'Answers that are ok but empty in every field.' : `Rows with the cause ${sign}.`;
}

function makeExamplesSchema(): object {
  const columns = { type: 'object', additionalProperties: { type: 'string', minLength: 1 } };
  return closed(
    {
      path: { type: 'string', minLength: 1, description: 'A table with correct answers.' },
      input: { ...columns, description: 'Its column for a column of the prompt, if the names differ.' },
      output: { ...columns, description: 'Its column for a field of the answer (answer, for a text), if the names differ.' },
      count: { ...POSITIVE_COUNT, maximum: 200, description: 'How many are shown. Default 5.' },
      seed: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description: 'Chooses the rows. Default 1.' },
      holdout: { type: 'string', minLength: 1, description: 'A CSV table to which a run writes the rows that are not shown, for eval.' },
    },
    { required: ['path'], description: 'Rows shown to the model with their correct answers, chosen by a seed, labels in turn.' },
  );
}

function makeRunningSchemas(): Record<string, object> {
  return {
    limits: closed(
      {
        rpm: { ...POSITIVE_COUNT, description: 'Requests per minute of the account.' },
        tpm: { ...POSITIVE_COUNT, description: 'Tokens per minute of the account.' },
        concurrency: { ...POSITIVE_COUNT, description: 'Calls at the same time.' },
        enqueued_tokens: { ...POSITIVE_COUNT, description: 'Prompt tokens that may wait in batches of this model.' },
      },
      { description: 'What the account allows; unknown limits are learned.' },
    ),
    notify: makeNotifySchema(),
    budget: closed(
      {
        usd: { type: 'number', minimum: 0, description: 'The most one run may spend; reserved before anything is sent.' },
        usd_per_row: { type: 'number', minimum: 0, description: 'The most one row may cost.' },
        usd_per_month: {
          type: 'number',
          minimum: 0,
          description: 'The most all runs together may spend in one month (UTC).',
        },
        usd_total: { type: 'number', minimum: 0, description: 'The most all runs of the job may ever spend.' },
      },
      { description: 'Hard limits in dollars.' },
    ),
    confirm_over: { type: 'number', minimum: 0, description: 'A run that may cost more dollars than this is confirmed first. Default 1.' },
    retry: closed(
      { attempts: { ...POSITIVE_COUNT, maximum: 20, description: 'Tries per row and run, the first included. Default 3.' } },
      { description: 'How often a row is tried.' },
    ),
    on_unknown: {
      enum: ['retry', 'hold'],
      description: 'After a call that may have been billed without an answer: retry (default), or hold the row until a retry.',
    },
    dedupe: { type: 'boolean', description: 'Whether identical rows share one request. Default true.' },
  };
}

function makeWriteSchema(): object {
  return closed(
    {
      path: {
        type: 'string',
        minLength: 1,
        description:
          'The table to write, .csv, .jsonl or .parquet, or - for standard output; {{ run.date }} in it is the day the run began. Default: <name>.out.<ext> next to the job file.',
      },
      timezone: {
        type: 'string',
        minLength: 1,
        description: 'Where the day of {{ run.date }} begins, for example Europe/Berlin. Default: UTC.',
      },
      keep: {
        type: ['string', 'array'],
        items: { type: 'string' },
        uniqueItems: true,
        description: 'Input columns to carry over: all (default) or a list.',
      },
      prefix: { type: 'string', maxLength: 64, pattern: '^[^\\r\\n]*$', description: 'Prefix of the name of every added column.' },
      delimiter: makeDelimiterSchema('The character between the cells of CSV, or tab. Default: a comma.'),
      excel: {
        type: 'boolean',
        description:
          'CSV for a spreadsheet: a byte order mark, CRLF, and an apostrophe before text that would run as a formula. Default false.',
      },
    },
    { description: 'The table of answers.' },
  );
}
