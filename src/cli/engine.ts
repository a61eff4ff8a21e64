import { enableCompileCache } from './compile-cache.ts';

const SHORT_MS = 3_000;

let compiled: ReturnType<typeof enableCompileCache> | null = null;

/** Keeps what V8 compiles of the program from here on, and sets how it collects garbage; once per thread. */
export function startEngine(): void {
  if (compiled !== null) return;
  compiled = enableCompileCache();
  // Hundreds of thousands of rows pass through, and objects that V8 considers long-lived may pile up to three times the live size before it collects.
  // Collecting whenever a fifth has been added keeps a large job below 300 MB and takes no measurable time. A command that ends before that holds
  // little, and would spend a tenth of its time on it.
  setTimeout(() => void setFlag('--heap-growing-percent=20'), SHORT_MS).unref();
}

/**
 * To be called before the first call by Node's fetch or by undici. Their parser of HTTP responses is WebAssembly: optimizing its one large function
 * takes as long as the rest of a small run, and makes a call faster by microseconds: not worth it before the hundred thousandth call.
 */
export async function expectCalls(): Promise<void> {
  // Once a flag has changed, V8 discards the code that Node ships compiled: this loads what calls need of it first.
  new Headers();
  await setFlag('--wasm-tiering-budget=1000000000');
}

/** V8 discards code that was compiled under other flags: new code is kept first, and commands that need no flag set none. */
async function setFlag(flag: string): Promise<void> {
  compiled?.keep();
  (await import('node:v8')).setFlagsFromString(flag);
}
