import { type CompileCache, enableCompileCache } from './compile-cache.ts';

/** A command that uses less CPU is a short one, however long it waits. */
const SHORT_MS = 3_000;
const LOOK_MS = 1_000;
/** How often a long command looks, and how much memory may be added outside the heap until it collects. */
const OUTSIDE_LOOK_MS = 250;
const OUTSIDE_BYTES = 16 * 1024 * 1024;

let compiled: CompileCache | null = null;
let isTuned = false;

/** Keeps what V8 compiles of the program from here on; once per thread. */
export function keepCompiled(): CompileCache {
  compiled ??= enableCompileCache();
  return compiled;
}

/** Keeps compiled code for this command. One that turns out to be long collects early: a short one holds little, and would spend a tenth of its time on it. */
export function beginCommand(name: string): void {
  keepCompiled().keepFor(name);
  if (isTuned) return;
  isTuned = true;
  const look = setInterval(() => {
    const { user, system } = process.cpuUsage();
    if (user + system < SHORT_MS * 1000) return;
    clearInterval(look);
    void collectEarly();
  }, LOOK_MS).unref();
}

/**
 * Sets how V8 collects garbage. Hundreds of thousands of rows pass through, and objects that V8 considers long-lived may pile up to three times the live
 * size before it collects; outside the heap 64 MB may be added, as the pieces of a download, during which little else asks for a collection. Collecting
 * when a fifth has been added, or 16 MB outside, keeps a job of a million rows below 250 MiB and takes no measurable time. V8 may also take the few rows
 * that are kept for the report as a sign that rows live long, and create more among the long-lived objects, which keep what they refer to until those are
 * collected: a seventh of the CPU of reconciling 200,000 rows.
 */
export async function collectEarly(): Promise<void> {
  await setFlag('--heap-growing-percent=20 --expose-gc --no-allocation-site-pretenuring');
  const [{ getHeapStatistics }, { runInNewContext }] = await Promise.all([import('node:v8'), import('node:vm')]);
  const collect = runInNewContext('gc') as () => void;
  const readBytes = () => getHeapStatistics().external_memory;
  let low = readBytes();
  setInterval(() => {
    const isDue = readBytes() > low + OUTSIDE_BYTES;
    if (isDue) collect();
    low = isDue ? readBytes() : Math.min(low, readBytes());
  }, OUTSIDE_LOOK_MS).unref();
}

/**
 * To be called before the first call by undici, or by the fetch of Node. Their parser of HTTP responses is WebAssembly, compiled in a few milliseconds.
 * Optimizing its one large function makes a call faster by microseconds; it takes as long as the rest of a small run, and 30 MB at once in a large one.
 */
export async function expectCalls(): Promise<void> {
  // Once a flag has changed, V8 discards the code that Node ships compiled: this loads what calls need of it first.
  await import('node:https');
  await setFlag('--no-wasm-dynamic-tiering --no-wasm-tier-up');
}

/** V8 discards code that was compiled under other flags: new code is kept first, and commands that need no flag set none. */
async function setFlag(flag: string): Promise<void> {
  compiled?.keep();
  (await import('node:v8')).setFlagsFromString(flag);
}
