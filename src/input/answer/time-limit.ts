import { type Context, createContext, Script } from 'node:vm';

/** The longest time one answer may keep the program busy. */
export const CHECK_MS = 1_000;

/** Made with the first work: a context is a hundredth of a short command. */
let made: { readonly context: Context; readonly script: Script } | null = null;

/** Runs work that may take forever; V8 enforces the limit within an expression too. @throws Error when time is up, and whatever the work throws */
export function doInTime<T>(work: () => T): T {
  made ??= { context: createContext({}), script: new Script('work()') };
  const { context, script } = made;
  const before: unknown = context.work;
  context.work = work;
  try {
    return script.runInContext(context, { timeout: CHECK_MS }) as T;
  } finally {
    context.work = before;
  }
}

/** Whether an error says that the time was up. */
export function isOverTime(error: unknown): boolean {
  return (error as { readonly code?: unknown } | null)?.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
}
