import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const compiled = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const shipped = join(compiled, 'bundle', 'main.cjs');

/** The command in the tree that the tests are compiled beside. */
export const UNBUNDLED_PROGRAM = join(compiled, 'src', 'cli', 'main.js');

/** The command as it ships; in a copy of the tree that has a fault built in, and no bundle, that tree's. */
export const PROGRAM = existsSync(shipped) ? shipped : UNBUNDLED_PROGRAM;
