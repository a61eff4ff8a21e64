import { createRequire } from 'node:module';
import type { Ajv2020 } from 'ajv/dist/2020.js';

const require = createRequire(import.meta.url);

/** The schema compiler. It is loaded only if something is validated: commands that only read do not need it. */
export function loadAjv(): typeof Ajv2020 {
  return (require('ajv/dist/2020.js') as typeof import('ajv/dist/2020.js')).Ajv2020;
}
