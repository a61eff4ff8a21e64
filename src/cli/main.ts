#!/usr/bin/env node
import { runProgram } from './program.ts';

// `rowmill report … | head`: the reader has enough, and that is not an error.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    throw error;
  });
}

void runProgram(process.argv);
