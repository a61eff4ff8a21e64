#!/usr/bin/env node
import { keepCompiled } from './engine.ts';

/** `rowmill report … | head`: the reader has enough, and that is not an error; a full disk is one. */
function watchOutput(): void {
  process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
    if (code === 'EPIPE') process.exit();
    process.stderr.write(`standard output cannot be written (${message}); only what would have been shown is lost\n`);
    process.exit(1);
  });
  // There is no place left for a message, and a run goes on without.
  process.stderr.on('error', ({ code }: NodeJS.ErrnoException) => {
    if (code === 'EPIPE') process.exit();
  });
}

let isOpen = false;

/** Called by the first command, and if help has to know the terminal: opening the streams takes as long as the whole help. */
function openOutput(): void {
  if (isOpen) return;
  isOpen = true;
  watchOutput();
}

// Nothing is pending: the kernel takes the memory back at once, and V8 would free it object by object.
process.once('beforeExit', () => process.exit());
keepCompiled();
// Loaded once compiled code is read and kept.
void import('./program.ts').then(({ runProgram }) => runProgram(process.argv, openOutput));
