import type { ValidateFunction } from 'ajv/dist/2020.js';
import { loadAjv } from '../answer/load-ajv.ts';
import { makeJobSchema } from './job-schema.ts';

/** Our own schemas, which a test holds against the dialect's rules: checking them here would take longer than the job does. */
export const OWN_SCHEMA = {
  allErrors: true,
  strict: false,
  strictNumbers: true,
  verbose: true,
  meta: false,
  validateSchema: false,
} as const;

/** Compiles the check of a job by its schema. What ships has it compiled beforehand. */
export function makeJobValidator(): ValidateFunction {
  return new (loadAjv())(OWN_SCHEMA).compile(makeJobSchema());
}
