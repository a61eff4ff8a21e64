import type { ValidateFunction } from 'ajv/dist/2020.js';
import { loadAjv } from '../answer/load-ajv.ts';
import { makeJobSchema } from './job-schema.ts';

/** Our own schemas; a test checks them against the dialect: checking them here would take longer than the job does. */
export const OWN_SCHEMA = {
  allErrors: true,
  strict: false,
  strictNumbers: true,
  verbose: true,
  meta: false,
  validateSchema: false,
} as const;

/** Compiles the check of a job against its schema. In the published bundle it is already compiled. */
export function makeJobValidator(): ValidateFunction {
  return new (loadAjv())(OWN_SCHEMA).compile(makeJobSchema());
}
