import { type CompileCache, enableCompileCache } from './compile-cache.ts';

/** A command that takes less CPU is a short one, however long it waits. */
const SHORT_MS = 3_000;
const LOOK_MS = 1_000;

let compiled: CompileCache | null = null;
let isTuned = false;

/** Keeps from here on what V8 compiles of the program; once in a thread. */
export function keepCompiled(): CompileCache {
  compiled ??= enableCompileCache();
  return compiled;
}

/**
 * Tells whose code is compiled from here on, and V8 how a command holds memory. Rows pass through by the hundred thousand, and what V8 takes for
 * long-lived may pile up to three times of what is held before it looks. Collecting whenever a fifth has been added keeps a large job below 300 MB and
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
 * To be called before the first call by Node's fetch or by undici. Their parser of HTTP responses is WebAssembly: to optimize its one large function
 * takes as long as the rest of a small run, and a call is faster by microseconds for it, so that it is not done before the hundred thousandth.
 */
export async function expectCalls(): Promise<void> {
  // What Node brings compiled counts for nothing either once a flag has changed: this loads what calls need of it.
  new Headers();
  await setFlag('--wasm-tiering-budget=1000000000');
}

/** To V8, what is compiled under other flags is worth nothing: what is new is kept before, and commands that need no flag set none. */
async function setFlag(flag: string): Promise<void> {
  compiled?.keep();
  (await import('node:v8')).setFlagsFromString(flag);
}
