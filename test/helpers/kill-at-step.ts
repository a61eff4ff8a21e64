/**
 * Loaded before the command (`--import`), so that it is killed at a chosen step of its work and at no time of day: the n-th time it writes, syncs,
 * renames or removes a file or calls the provider, before that, while that is under way, or after it.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

export type KillMoment = 'before' | 'during' | 'after';

// biome-ignore lint/suspicious/noExplicitAny: any function of node's is put in another's place
type AnyFunction = (...args: any[]) => any;

const SYNCHRONOUS = ['writeSync', 'writeFileSync', 'fsyncSync', 'fdatasyncSync', 'renameSync', 'linkSync', 'unlinkSync', 'rmSync'];
const CALLED_BACK = ['write', 'writev', 'fsync', 'fdatasync'];
const PROMISED = ['rename', 'rm', 'unlink'];
const OF_HANDLES = ['write', 'appendFile', 'sync', 'datasync'];

const killStep = Number(process.env.ROWMILL_TEST_KILL_STEP ?? 0);
const killMoment = (process.env.ROWMILL_TEST_KILL_MOMENT ?? 'before') as KillMoment;
const reportFile = process.env.ROWMILL_TEST_STEPS_FILE;
let steps = 0;

function killSelf(): void {
  process.kill(process.pid, 'SIGKILL');
}

/** Counts one step. @returns what is to be done while it is under way, and after it */
function beginStep(): { readonly during: () => void; readonly after: () => void } {
  steps += 1;
  const nothing = () => {};
  if (steps !== killStep) return { during: nothing, after: nothing };
  if (killMoment === 'before') killSelf();
  return { during: killMoment === 'during' ? killSelf : nothing, after: killMoment === 'after' ? killSelf : nothing };
}

function countSynchronous(call: AnyFunction): AnyFunction {
  return function counted(this: unknown, ...args: unknown[]) {
    const step = beginStep();
    const result = call.apply(this, args);
    step.during();
    step.after();
    return result;
  };
}

function countCalledBack(call: AnyFunction): AnyFunction {
  return function counted(this: unknown, ...args: unknown[]) {
    const step = beginStep();
    const callBack = args.pop() as AnyFunction;
    call.apply(this, [
      ...args,
      (...results: unknown[]) => {
        step.after();
        callBack(...results);
      },
    ]);
    step.during();
  };
}

function countPromised(call: AnyFunction): AnyFunction {
  return async function counted(this: unknown, ...args: unknown[]) {
    const step = beginStep();
    const promise = call.apply(this, args);
    step.during();
    const result = await promise;
    step.after();
    return result;
  };
}

function replace(holder: object, names: readonly string[], count: (call: AnyFunction) => AnyFunction): void {
  const functions = holder as Record<string, AnyFunction>;
  for (const name of names) functions[name] = count(functions[name] as AnyFunction);
}

const handle = await fs.promises.open(process.execPath);
replace(Object.getPrototypeOf(handle), OF_HANDLES, countPromised);
await handle.close();
replace(fs, SYNCHRONOUS, countSynchronous);
replace(fs, CALLED_BACK, countCalledBack);
replace(fs.promises, PROMISED, countPromised);
replace(globalThis, ['fetch'], countPromised);
syncBuiltinESMExports();

if (reportFile !== undefined) {
  const { writeFileSync } = { writeFileSync: fs.writeFileSync };
  process.on('exit', () => writeFileSync(reportFile, String(steps)));
}
