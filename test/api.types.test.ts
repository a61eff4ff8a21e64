import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type AnswerOf,
  defineJob,
  type JobDefinition,
  makeJobSchema,
  type Params,
  type RowResult,
  type StandardSchema,
} from '../src/index.ts';
import { PARAMS } from '../src/input/request/params.ts';

/** Compiles only when the two types are the same. */
function same<A, B>(..._proof: [A] extends [B] ? ([B] extends [A] ? [] : [never]) : [never]): void {}

const tickets = { path: 'tickets.csv', columns: ['ticket_id', 'body'], id: 'ticket_id' } as const;
const base = { name: 'typed', input: tickets, model: 'gpt-6-luna' } as const;

/** Never called: the compiler is what is tested. Each line below a directive has to be an error, or compiling this file fails. */
export function wrongJobs(): void {
  // @ts-expect-error: no such column
  defineJob({ ...base, output: 'text', prompt: (row) => row.boddy });
  // @ts-expect-error: no such column
  defineJob({ ...base, input: { path: 'a.csv', columns: ['a'], id: 'b' }, output: 'text', prompt: (row) => row.a });
  // @ts-expect-error: no such column
  defineJob({ ...base, output: 'text', prompt: (row) => row.body, write: { keep: ['ticket'] } });
  // @ts-expect-error: no such option
  defineJob({ ...base, output: 'text', prompt: (row) => row.body, modle: 'gpt-4o' });
  // @ts-expect-error: no such value of an option
  defineJob({ ...base, output: 'text', prompt: (row) => row.body, mode: 'bulk' });
  // @ts-expect-error: no such parameter
  defineJob({ ...base, output: 'text', prompt: (row) => row.body, params: { temprature: 0 } });
  // @ts-expect-error: no such type of a field
  defineJob({ ...base, output: { label: 'lable' }, labels: ['a', 'b'], prompt: (row) => row.body });
  // @ts-expect-error: a table is a path or documents
  defineJob({ ...base, input: { path: 'a.csv', documents: '*.txt' }, output: 'text', prompt: 'x' });
  // @ts-expect-error: no such column
  defineJob({ ...base, input: { ...tickets, split: { column: 'text', tokens: 100 } }, output: 'text', prompt: 'x' });
  const documents = { documents: 'inbox/*.txt', columns: ['path', 'text'], split: { column: 'text', tokens: 100 } } as const;
  defineJob({ ...base, input: documents, output: 'text', prompt: { user: '{{ text }}', files: ['{{ path }}'] } });
  defineJob({ ...base, input: documents, output: 'text', max_images: 1, prompt: (row) => ({ user: row.text, files: [row.path] }) });
  // @ts-expect-error: the job has no labels
  defineJob({ ...base, output: { label: 'label' }, prompt: (row) => row.body });
  // @ts-expect-error: a prompt is text
  defineJob({ ...base, output: 'text', prompt: () => 5 });
  const job = defineJob({
    ...base,
    output: { label: 'label', score: 'number 0..1?' },
    labels: { billing: 'money', bug: '' },
    prompt: (row) => row.body,
  });
  const withSchema = defineJob({
    ...base,
    output: { type: 'object', required: ['label'], properties: { label: { enum: ['billing', 'bug'] } } },
    prompt: (row) => ({ system: 'Label the ticket.', user: row.body }),
  });
  void withSchema.run().then(async (run) => {
    for await (const { output } of run.results()) {
      // @ts-expect-error: no such label
      output?.label === 'feature';
    }
  });
  // @ts-expect-error: no such setting
  job.run({ simulated: true });
  void job.run().then(async (run) => {
    for await (const result of run.results()) {
      // @ts-expect-error: only rows that are ok have an answer
      result.output.label;
      if (result.disposition !== 'ok') continue;
      // @ts-expect-error: no such label
      result.output.label === 'feature';
      // @ts-expect-error: no such field
      result.output.lable;
      // @ts-expect-error: may be null
      result.output.score.toFixed();
      // @ts-expect-error: no such column
      result.row.subject;
    }
  });
}

test('answers have the type that their output declares', () => {
  same<AnswerOf<'text', never>, string>();
  same<AnswerOf<'text', 'p' | 'q'>, 'p' | 'q'>();
  same<
    AnswerOf<
      { a: 'string'; b: 'string[]'; c: 'number 0..1'; d: 'integer?'; e: 'boolean'; f: 'x | y z | w'; g: 'label[]'; h: 'a | b ?' },
      'p' | 'q'
    >,
    {
      readonly a: string;
      readonly b: readonly string[];
      readonly c: number;
      readonly d: number | null;
      readonly e: boolean;
      readonly f: 'x' | 'y z' | 'w';
      readonly g: readonly ('p' | 'q')[];
      readonly h: 'a' | 'b' | null;
    }
  >();
  same<
    AnswerOf<{ a: { type: 'number 0..1'; description: 'how sure' }; b: { c: 'boolean'; type: 'string' } }, never>,
    { readonly a: number; readonly b: { readonly c: boolean; readonly type: string } }
  >();
  same<
    AnswerOf<
      {
        type: 'object';
        required: readonly ['a', 'b'];
        properties: {
          a: { enum: readonly ['x', 'y'] };
          b: { type: readonly ['string', 'null'] };
          c: { type: 'array'; items: { type: 'integer' } };
        };
      },
      never
    >,
    { readonly a: 'x' | 'y'; readonly b: string | null; readonly c?: readonly number[] }
  >();
  same<AnswerOf<StandardSchema<{ when: Date }>, never>, { when: Date }>();
  same<AnswerOf<{ json: 'object' }, never>, Readonly<Record<string, unknown>>>();
  same<Extract<RowResult<'a' | 'b', number>, { disposition: 'ok' }>['row'], Readonly<Record<'a' | 'b', string>>>();
  assert.equal(wrongJobs.length, 0);
});

test('a definition accepts every key of a job file', () => {
  // Exactly the keys of the type, or this does not compile.
  const keys: Record<keyof JobDefinition<string, unknown, string>, true> = {
    ...{
      name: true,
      description: true,
      input: true,
      model: true,
      endpoint: true,
      mode: true,
      prompt: true,
      messages: true,
      labels: true,
      output: true,
      examples: true,
    },
    ...{ params: true, votes: true, confidence: true, limits: true, budget: true, confirm_over: true, retry: true, on_unknown: true },
    ...{ dedupe: true, write: true, stop_if: true, pilot: true, fail_if: true, notify: true, directory: true, max_images: true },
  };
  const { properties } = makeJobSchema() as { properties: object };
  const expected = [...Object.keys(properties), 'directory', 'max_images'];
  assert.deepEqual(Object.keys(keys).toSorted(), expected.toSorted());
  const params: Record<keyof Params, true> = {
    ...{ max_output_tokens: true, temperature: true, top_p: true, seed: true, presence_penalty: true, frequency_penalty: true },
    ...{ reasoning_effort: true, verbosity: true, service_tier: true, logprobs: true, top_logprobs: true, dimensions: true },
    ...{ stop: true, extra: true, prompt_cache: true },
  };
  assert.deepEqual(Object.keys(params).toSorted(), [...Object.keys(PARAMS), 'extra'].toSorted());
});
