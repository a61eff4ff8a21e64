import { randomUUID } from 'node:crypto';
import { UsageError } from '../core/errors.ts';
import type { MessageTemplate } from '../core/job.ts';
import type { JobCode, TextRow } from '../core/job-code.ts';
import { NO_SOURCE } from '../core/problem-path.ts';
import type { LoadedJob } from '../input/job/load-job.ts';
import { makeJob } from '../input/job/make-job.ts';
import { readOutput } from '../input/job/output-spec.ts';
import { listStrangeParts } from '../input/job/strict-pattern.ts';
import type { JobDefinition, Prompt } from './job-definition.ts';
import { compileStandardCheck, isStandardSchema, readJsonSchema, type StandardSchema } from './standard-schema.ts';

/** A job's definition with its types left behind. */
export type AnyDefinition = JobDefinition<string, unknown, string>;

/**
 * Makes a job of a definition. Its text, which runs keep and reports show, is the definition as JSON, a prompt function as its source.
 * @throws UsageError with every problem
 */
export function loadDefinition(definition: AnyDefinition): LoadedJob {
  const { directory, max_images: mostImages = 0, ...spec } = definition;
  const { prompt, output } = spec as { prompt: unknown; output: unknown };
  const isCoded = typeof prompt === 'function';
  if (isCoded && definition.examples !== undefined) {
    throw new UsageError('examples: go with templates only; a prompt function can say its own', { code: 'job' });
  }
  const schema = isStandardSchema(output) ? output : null;
  const made = makeJob(
    { ...spec, ...(isCoded ? { prompt: String(prompt) } : {}), ...(schema === null ? {} : { output: chooseOutput(schema) }) },
    { directory: directory ?? process.cwd() },
  );
  if (!isCoded && schema === null) return { job: made, source: NO_SOURCE };
  // Whatever the function says about a row, no more images than these are sent.
  const images = Array.from({ length: mostImages }, () => ({ url: '', detail: null }));
  const job = isCoded && mostImages > 0 ? { ...made, messages: made.messages.map((message) => ({ ...message, images })) } : made;
  const code: JobCode = {
    renderMessages: isCoded ? (row) => makeMessages((prompt as (row: TextRow) => Prompt)(row)) : null,
    checkValue: schema === null ? null : compileStandardCheck(schema),
    // What a schema's code does cannot be seen, so stored answers are judged again by every definition.
    id: randomUUID(),
  };
  return { job, source: NO_SOURCE, code };
}

/**
 * The request carries the library's JSON Schema where strict mode takes it, without lookaround, which mail addresses of libraries have; else JSON
 * mode. The library checks what either leaves out.
 */
function chooseOutput(schema: StandardSchema): unknown {
  const jsonSchema = readJsonSchema(schema);
  if (jsonSchema === null) return { json: 'object' };
  const isLookaround = (key: string, value: unknown) =>
    key === 'pattern' && typeof value === 'string' && listStrangeParts(value).refused.length > 0;
  const sent: unknown = JSON.parse(JSON.stringify(jsonSchema), (key, value: unknown) => (isLookaround(key, value) ? undefined : value));
  return readOutput(sent, []).problems.length === 0 ? sent : { json: 'object' };
}

function makeMessages(prompt: Prompt): readonly MessageTemplate[] | null {
  if (prompt === null) return null;
  if (typeof prompt === 'string') return [{ role: 'user', content: prompt }];
  const { system, user, images = [] } = prompt;
  const pictures = images.map((image) => (typeof image === 'string' ? { url: image, detail: null } : { detail: null, ...image }));
  return [
    ...(system === undefined ? [] : [{ role: 'system' as const, content: system }]),
    ...(user === undefined && pictures.length === 0
      ? []
      : [{ role: 'user' as const, content: user ?? '', ...(pictures.length === 0 ? {} : { images: pictures }) }]),
  ];
}
