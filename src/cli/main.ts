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
// Loaded once compiled code is read and kept. Standard error is opened by the first command: help writes nothing to it.
void import('./program.ts').then(({ runProgram }) => runProgram(process.argv, () => endQuietly(process.stderr)));
