import { setFlagsFromString } from 'node:v8';
import { enableCompileCache } from './compile-cache.ts';

/** What V8 is told before a command is loaded: importing this says it, once in a process. */

const SHORT_MS = 3_000;

// Node's parser of HTTP responses is WebAssembly. To optimize its one large function takes as long as the rest of a small run, and a call is
// faster by microseconds for it: not before the hundred thousandth.
setFlagsFromString('--wasm-tiering-budget=1000000000');

const compiled = enableCompileCache();

// Rows pass through by the hundred thousand, and what V8 takes for long-lived may pile up to three times of what is held before it looks.
// Collecting whenever a fifth has been added keeps a large job below 300 MB and takes no measurable time. A command that is done before that holds
// little, and would spend a tenth of its time on it.
setTimeout(() => {
  compiled.keep();
  setFlagsFromString('--heap-growing-percent=20');
}, SHORT_MS).unref();
