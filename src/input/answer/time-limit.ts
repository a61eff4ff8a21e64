import { type Context, createContext, Script } from 'node:vm';

/** So long one answer may keep the program busy, and so long only. */
export const CHECK_MS = 1_000;

/** Made with the first work: a context is a hundredth of a short command. */
let made: { readonly context: Context; readonly script: Script } | null = null;

/** Does work that may take for ever; V8 keeps the limit within an expression too. @throws Error when it is over, and whatever the work throws */
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

/** Whether what was thrown says that the time was over. */
export function isOverTime(error: unknown): boolean {
  return (error as { readonly code?: unknown } | null)?.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
}
