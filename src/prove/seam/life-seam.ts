import path from 'node:path';
import type { Listener, Operation } from './patch-fs.ts';
import type { SeamPlan, SeamReport, StepPlan } from './plan.ts';
import { makeRefusal, REFUSED } from './refusal.ts';
import { createUnsyncedTracker } from './unsynced.ts';

/** What sits between one life and its disk. */
export interface LifeSeam extends Listener {
  report(): SeamReport;
}

/** How a life ends or stops here. */
export interface Ends {
  /** At once: nothing after it is executed. */
  readonly crash: (report: SeamReport) => never;
  /** Returns when it is woken. */
  readonly freeze: (report: SeamReport) => void;
  readonly jumpClock: (byMs: number) => void;
}

export function createLifeSeam(plan: SeamPlan, ends: Ends): LifeSeam {
  const operations: string[] = [];
  const fired: string[] = [];
  const tracker = plan.backups === undefined ? null : createUnsyncedTracker(plan.backups);
  const report = (): SeamReport => ({ operations, fired, unsynced: tracker?.read() ?? { files: [], names: [] } });
  /** The operation at which a crash is due, from when it starts. */
  let last: Operation | null = null;
  let refusable = 0;
  /** Operations at which it may be due. */
  const counted = { crash: 0, freeze: 0 };

  function refuse(operation: Operation): Error | null {
    const { kind, path: file } = operation;
    if (plan.refuse === undefined || !REFUSED[plan.refuse.errno]?.includes(kind)) return null;
    refusable += 1;
    const { errno, at, isLasting } = plan.refuse;
    if (refusable < at || (refusable > at && !isLasting)) return null;
    fired.push(`${errno} ${kind} ${path.basename(file)}`);
    return makeRefusal(errno, operation);
  }

  function befall(operation: Operation): void {
    const { kind, path: file } = operation;
    const what = `${kind} ${kind === 'send' ? file : path.basename(file)}`.trim();
    const number = operations.push(what);
    const isDue = (at: number | undefined, count = number) => {
      if (at === count) fired.push(what);
      return at === count;
    };
    if (plan.clock !== undefined && isDue(plan.clock.at)) ends.jumpClock(plan.clock.byMs);
    const isMeant = (name: keyof typeof counted, step: StepPlan | undefined) => {
      if (step === undefined || !what.startsWith(step.on ?? '')) return false;
      counted[name] += 1;
      return isDue(step.at, counted[name]);
    };
    if (isMeant('freeze', plan.freeze)) ends.freeze(report());
    if (!isMeant('crash', plan.crash)) return;
    last = operation;
    if (plan.crash?.moment === 'before') ends.crash(report());
  }

  return {
    report,
    isWatched: (file) => plan.under.some((folder) => `${file}/`.startsWith(folder)),
    begin(operation) {
      if (operation.kind !== 'read') befall(operation);
      const error = operation.kind === 'send' ? null : refuse(operation);
      if (error === null) tracker?.begin(operation);
      return error;
    },
    meanwhile(operation) {
      if (operation === last && plan.crash?.moment === 'during') ends.crash(report());
    },
    end(operation) {
      tracker?.end(operation);
      if (operation === last && plan.crash?.moment === 'after') ends.crash(report());
    },
  };
}
