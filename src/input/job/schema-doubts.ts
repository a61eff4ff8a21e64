import type { Job } from '../../core/job.ts';
import { isFineTuned, listBaseNames } from '../../core/model/base-model.ts';
import type { Path } from '../../core/problem-path.ts';
import { isMap, type Schema, type SchemaNode, walkSchema } from './schema-nodes.ts';
import { listStrangeParts } from './strict-pattern.ts';
import { FORM_KEYWORDS } from './strict-schema.ts';

/** Something in a job's schema that its model may not support, although strict mode does. */
export interface SchemaDoubt {
  /** In the schema; empty: the whole schema. */
  readonly path: Path;
  readonly message: string;
  /** Whether every request is known to be refused; otherwise the provider decides. */
  readonly isCertain: boolean;
}

/** What fine-tuned models refuse (structured outputs guide, seen 2026-11-29); other keywords that restrict a value are not known to be accepted. */
const REFUSED_BY_FINE_TUNED: ReadonlySet<string> = new Set([
  ...['pattern', 'format', 'minimum', 'maximum', 'multipleOf', 'minItems', 'maxItems'],
]);
/** JSON mode came with gpt-4-1106-preview and gpt-3.5-turbo-1106, schemas with gpt-4o-2024-08-06 (OpenAI's guides, seen 2026-11-29). */
const NO_JSON_MODE = /^gpt-4(-32k)?(-0314|-0613)?$|^gpt-3\.?5-turbo(-16k)?-0(301|613)$/;
const NO_SCHEMAS = /^gpt-4$|^gpt-4-|^gpt-3\.?5|^gpt-4o-2024-05-13$|^chatgpt-4o|^o1-(mini|preview)/;

/** What the job's model may refuse in the requested answer format. Strict mode's own rules are checked before, by `lintStrictSchema`. */
export function findSchemaDoubts({ model, output }: Pick<Job, 'model' | 'output'>): readonly SchemaDoubt[] {
  if (output.type === 'text') return [];
  const [name] = listBaseNames(model);
  if (output.format === 'json_object') {
    const message = `${model} is not known to have JSON mode; write output: text, or take a newer model`;
    return NO_JSON_MODE.test(name) ? [{ path: [], message, isCertain: false }] : [];
  }
  const instead = 'write json: object with schema:, which is checked here';
  const noSchemas = {
    path: [],
    message: `${model} is not known to take a JSON Schema; ${instead}, or take a newer model`,
    isCertain: false,
  };
  const nodes = [...walkSchema(output.schema)].filter((node): node is SchemaNode & { schema: Schema } => isMap(node.schema));
  return [
    ...(NO_SCHEMAS.test(name) ? [noSchemas] : []),
    ...nodes.flatMap(doubtNode),
    ...(isFineTuned(model) ? nodes.flatMap((node) => doubtFineTuned(node, instead)) : []),
  ];
}

function doubtNode({ schema, path }: SchemaNode & { readonly schema: Schema }): readonly SchemaDoubt[] {
  const doubts: SchemaDoubt[] = [];
  const choice = ['enum', 'const'].find((key) => Object.hasOwn(schema, key));
  if (choice !== undefined && !Object.hasOwn(schema, 'type'))
    doubts.push({ path, message: `${choice} without a type, which the API may refuse; add a type`, isCertain: false });
  const strange = typeof schema.pattern === 'string' ? listStrangeParts(schema.pattern).doubtful : [];
  if (strange.length > 0) {
    const message = `${strange.join(' ')} in a pattern is not known to be taken by strict schemas`;
    doubts.push({ path: [...path, 'pattern'], message, isCertain: false });
  }
  return doubts;
}

function doubtFineTuned({ schema, path }: SchemaNode & { readonly schema: Schema }, instead: string): readonly SchemaDoubt[] {
  return Object.keys(schema)
    .filter((key) => !FORM_KEYWORDS.has(key))
    .map((key) => {
      const isCertain = REFUSED_BY_FINE_TUNED.has(key);
      const verdict = isCertain ? 'fine-tuned models refuse it' : 'fine-tuned models are not known to take it';
      return { path: [...path, key], message: `${verdict} in a schema; leave it out, or ${instead}`, isCertain };
    });
}
