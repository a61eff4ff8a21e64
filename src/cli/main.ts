#!/usr/bin/env node
import module from 'node:module';
import { runProgram } from './program.ts';

const SHORT_MS = 3_000;

// From Node 22 on, commands are compiled once and not at every start.
(module as { enableCompileCache?(): void }).enableCompileCache?.();

// Rows pass through by the hundred thousand, and what V8 takes for long-lived may pile up to three times of what is held before it looks.
// Collecting whenever a fifth has been added keeps a large job below 300 MB and takes no measurable time. A command that is done before that holds
// little, and would spend a tenth of its time on it.
setTimeout(async () => (await import('node:v8')).setFlagsFromString('--heap-growing-percent=20'), SHORT_MS).unref();

// `rowmill report … | head`: whoever reads has enough, and that is no error.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    throw error;
  });
}

void runProgram(process.argv);
