#!/usr/bin/env node
import { keepCompiled } from './engine.ts';

keepCompiled();

// `rowmill report … | head`: the reader has enough, and that is not an error.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    throw error;
  });
}

// Loaded once compiled code is taken and kept.
void import('./program.ts').then(({ runProgram }) => runProgram(process.argv));
