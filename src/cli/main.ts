#!/usr/bin/env node
import { makeProgram } from './program.ts';

// `rowmill report … | head`: whoever reads has enough, and that is no error.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
}

await makeProgram().parseAsync();
