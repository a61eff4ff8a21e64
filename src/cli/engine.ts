import { setFlagsFromString } from 'node:v8';
import { enableCompileCache } from './compile-cache.ts';

/** V8 flags set before a command is loaded: importing this module sets them, once per process. */

const SHORT_MS = 3_000;

// Node's parser of HTTP responses is WebAssembly. Optimizing its one large function takes as long as the rest of a small run, and makes a call
// faster by microseconds: not worth it before the hundred thousandth call.
setFlagsFromString('--wasm-tiering-budget=1000000000');

const compiled = enableCompileCache();

// Hundreds of thousands of rows pass through, and objects that V8 considers long-lived may pile up to three times the live size before it collects.
// Collecting whenever a fifth has been added keeps a large job below 300 MB and takes no measurable time. A command that ends before that holds
// little, and would spend a tenth of its time on it.
setTimeout(() => {
  compiled.keep();
  setFlagsFromString('--heap-growing-percent=20');
}, SHORT_MS).unref();
