import { randomUUID } from 'node:crypto';
import type { JobCode, TextRow } from '../core/job-code.ts';
import { NO_SOURCE } from '../core/problem-path.ts';
import { makeEffects } from '../host/real-effects.ts';
import type { LoadedJob } from '../input/job/load-job.ts';
import { makeJob } from '../input/job/make-job.ts';
import { readOutput } from '../input/job/output-spec.ts';
import { listStrangeParts } from '../input/job/strict-pattern.ts';
import { inspectPrompt } from './inspect-prompt.ts';
import { inspectSchema, requireObjectSchema } from './inspect-schema.ts';
import type { JobDefinition } from './job-definition.ts';
import { readDefinition, refuseDefinition, takeRows } from './read-definition.ts';
import { readPrompt } from './read-prompt.ts';
import type { RowSource } from './row-source.ts';
import { compileStandardCheck, isStandardSchema, readJsonSchema, type StandardSchema } from './standard-schema.ts';
import { isThenable } from './thenable.ts';

/** A job's definition without its types. */
export type AnyDefinition = JobDefinition<string, unknown, string>;

/** A validated definition. */
export interface LoadedDefinition {
  readonly job: LoadedJob;
  /** Rows from the program; null for a table on disk or standard input. */
  readonly rows: RowSource | null;
}

/**
 * Turns a definition into a job. Its text, stored by runs and shown in reports, is the definition as JSON, with a prompt function as its source.
 * @throws UsageError with every problem
 */
export function loadDefinition(definition: AnyDefinition): LoadedDefinition {
  const { directory, max_images: mostImages = 0, ...spec } = readDefinition(definition);
  const { prompt, output } = spec;
  const isCoded = typeof prompt === 'function';
  if (isCoded && spec.examples !== undefined)
    throw refuseDefinition('examples: work with templates only; a prompt function can include its own');
  const schema = isStandardSchema(output) ? output : null;
  if (schema !== null) requireObjectSchema(schema);
  const { input, rows } = takeRows(spec.input);
  const made = makeJob(
    { ...spec, input, ...(isCoded ? { prompt: String(prompt) } : {}), ...(schema === null ? {} : { output: chooseOutput(schema) }) },
    { directory: directory ?? process.cwd() },
  );
  const named = rows === null ? made : { ...made, input: { ...made.input, shown: 'input.rows' } };
  if (!isCoded && schema === null) return { job: { job: named, source: NO_SOURCE }, rows };
  // Whatever the function returns for a row, no more images than these are sent.
  const images = Array.from({ length: mostImages }, () => ({ url: '', detail: null }));
  const job = isCoded && mostImages > 0 ? { ...named, messages: named.messages.map((message) => ({ ...message, images })) } : named;
  const renderMessages = isCoded ? compilePrompt(prompt as (row: TextRow) => unknown) : null;
  const code: JobCode = {
    renderMessages,
    checkValue: schema === null ? null : compileStandardCheck(schema),
    async inspect(firstRows, signal) {
      await inspectPrompt({ renderMessages }, firstRows, { ...makeEffects(), signal });
      if (schema !== null) await inspectSchema(schema);
    },
    // The code of a schema cannot be inspected, so stored answers are judged again by every definition.
    id: randomUUID(),
  };
  return { job: { job, source: NO_SOURCE, code }, rows };
}

/**
 * The request contains the library's JSON Schema if strict mode accepts it, without lookaround, which email formats of libraries use; else JSON
 * mode. The library validates what either leaves out.
 */
function chooseOutput(schema: StandardSchema): unknown {
  const jsonSchema = readJsonSchema(schema);
  if (jsonSchema === null) return { json: 'object' };
  const isLookaround = (key: string, value: unknown) =>
    key === 'pattern' && typeof value === 'string' && listStrangeParts(value).refused.length > 0;
  const sent: unknown = JSON.parse(JSON.stringify(jsonSchema), (key, value: unknown) => (isLookaround(key, value) ? undefined : value));
  return readOutput(sent, []).problems.length === 0 ? sent : { json: 'object' };
}

function compilePrompt(prompt: (row: TextRow) => unknown): NonNullable<JobCode['renderMessages']> {
  return (row) => {
    const given = prompt(row);
    return isThenable(given) ? Promise.resolve(given).then(readPrompt) : readPrompt(given);
  };
}
