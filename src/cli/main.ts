#!/usr/bin/env node
import { keepCompiled } from './engine.ts';

/** `rowmill report … | head`: the reader has enough, and that is not an error. */
function endQuietly(stream: NodeJS.WriteStream): void {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    throw error;
  });
}

keepCompiled();
endQuietly(process.stdout);
// Loaded once compiled code is taken and kept. What is said aside is opened with the first command: help has nothing to say there.
void import('./program.ts').then(({ runProgram }) => runProgram(process.argv, () => endQuietly(process.stderr)));
