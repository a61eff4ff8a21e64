#!/usr/bin/env node
import { keepCompiled } from './engine.ts';

/** `rowmill report … | head`: the reader has enough, and that is not an error. */
function endQuietly(stream: NodeJS.WriteStream): void {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    throw error;
  });
}

let isOpen = false;

/** Called by the first command, and where help has to know a terminal: to open the streams takes as long as all of the help. */
function openOutput(): void {
  if (isOpen) return;
  isOpen = true;
  endQuietly(process.stdout);
  endQuietly(process.stderr);
}

keepCompiled();
// Loaded once compiled code is read and kept.
void import('./program.ts').then(({ runProgram }) => runProgram(process.argv, openOutput));
