import { type CompileCache, enableCompileCache } from './compile-cache.ts';

/** A command that uses less CPU is a short one, however long it waits. */
const SHORT_MS = 3_000;
const LOOK_MS = 1_000;

let compiled: CompileCache | null = null;
let isTuned = false;

/** Keeps what V8 compiles of the program from here on; once per thread. */
export function keepCompiled(): CompileCache {
  compiled ??= enableCompileCache();
  return compiled;
}

/**
 * Keeps compiled code for this command, and sets how V8 collects garbage. Hundreds of thousands of rows pass through, and objects that V8 considers
 * long-lived may pile up to three times the live size before it collects. Collecting whenever a fifth has been added keeps a large job below 300 MB and
 * takes no measurable time. A short command holds little, and would spend a tenth of its time on it.
 */
export function beginCommand(name: string): void {
  keepCompiled().keepFor(name);
  if (isTuned) return;
  isTuned = true;
  const look = setInterval(() => {
    const { user, system } = process.cpuUsage();
    if (user + system < SHORT_MS * 1000) return;
    clearInterval(look);
    void setFlag('--heap-growing-percent=20');
  }, LOOK_MS).unref();
}

/**
 * To be called before the first call by undici, or by the fetch of Node. Their parser of HTTP responses is WebAssembly: optimizing its one large function
 * takes as long as the rest of a small run, and makes a call faster by microseconds: not worth it before the hundred thousandth call.
 */
export async function expectCalls(): Promise<void> {
  // Once a flag has changed, V8 discards the code that Node ships compiled: this loads what calls need of it first.
  await import('node:https');
  await setFlag('--wasm-tiering-budget=1000000000');
}

/** V8 discards code that was compiled under other flags: new code is kept first, and commands that need no flag set none. */
async function setFlag(flag: string): Promise<void> {
  compiled?.keep();
  (await import('node:v8')).setFlagsFromString(flag);
}
