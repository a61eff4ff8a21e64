import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AnyDefinition, loadDefinition } from '../src/api/load-definition.ts';
import type { StandardSchema } from '../src/api/standard-schema.ts';

/** A library's schema of one field, as its JSON Schema tells it. */
function makeSchema(field: object): StandardSchema {
  const jsonSchema = { type: 'object', properties: { pattern: field }, required: ['pattern'], additionalProperties: false };
  return { '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value }), jsonSchema: { input: () => jsonSchema } } };
}

/** Fields of a library, each with what is sent for it; null: JSON mode. */
const FIELDS: readonly [field: object, sent: object | null][] = [
  [
    { type: 'string', format: 'email', pattern: '^(?!\\.)(?!.*\\.\\.)[a-z.]+@[a-z.]+$' },
    { type: 'string', format: 'email' },
  ],
  [
    { type: 'string', minLength: 1, maxLength: 280, pattern: '^[A-Z]' },
    { type: 'string', minLength: 1, maxLength: 280, pattern: '^[A-Z]' },
  ],
  [{ oneOf: [{ type: 'string' }] }, null],
  [{ type: 'string', default: 'a' }, null],
];

for (const [field, sent] of FIELDS) {
  test(`for a library's ${JSON.stringify(field)} ${sent === null ? 'JSON mode is asked' : `${JSON.stringify(sent)} is sent`}`, () => {
    const definition = { name: 'j', input: { path: 't.csv' }, model: 'gpt-4o-mini', prompt: 'JSON {{ a }}', output: makeSchema(field) };
    const { output } = loadDefinition(definition as AnyDefinition).job.job;
    assert.ok(output.type === 'json');
    if (sent === null) assert.deepEqual([output.format, output.schema], ['json_object', null]);
    else assert.deepEqual([output.format, output.schema?.properties], ['json_schema', { pattern: sent }]);
  });
}
