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

/** Called by the first command, and if help has to know the terminal: opening the streams takes as long as the whole help. */
function openOutput(): void {
  if (isOpen) return;
  isOpen = true;
  endQuietly(process.stdout);
  endQuietly(process.stderr);
}

// Nothing is pending: the kernel takes the memory back at once, and V8 would free it object by object.
process.once('beforeExit', () => process.exit());
keepCompiled();
// Loaded once compiled code is read and kept.
void import('./program.ts').then(({ runProgram }) => runProgram(process.argv, openOutput));
