import fs from 'node:fs';
import { type AttackContext, type Attacked, type AttackResult, attackUntilFired, continueAndCheck, inArena } from '../attack.ts';
import type { SeamPlan, Unsynced } from '../seam/plan.ts';
import { CONCURRENCY } from '../table.ts';
import { findWork } from '../undisturbed.ts';

/** A run may take fewer steps than the undisturbed one. */
const MOST_TRIES = 4;
const MOMENTS = ['before', 'during', 'after'] as const;
const OLD_TABLE = 'the table of another day\n';

/** Where a run is stopped. */
type Crash = Required<Pick<SeamPlan, 'crash'>>['crash'];

/** How a run ends early. */
interface CrashOptions extends CrashKind {
  /** Counts only steps that begin with this; absent: all. */
  readonly on?: string;
  /** The first and the last step to choose from. */
  readonly from: number;
  readonly to: number;
}

interface CrashKind {
  /** When, relative to the step; chosen at random if absent. */
  readonly moments?: readonly Crash['moment'][];
  readonly how: 'thread' | 'process';
  /** What happens to the disk at that moment; nothing if absent. */
  readonly afterwards?: (folder: string, unsynced: Unsynced) => void;
  readonly secondPayments: number;
}

/** Ends a run at a step, then continues it. */
export function crashOnce(context: AttackContext, options: CrashOptions): Promise<AttackResult> {
  const { dice } = context;
  let to = options.to;
  return attackUntilFired(context, MOST_TRIES, async (own) => {
    const crash: Crash = { on: options.on ?? '', at: dice.between(options.from, to), moment: dice.pick(options.moments ?? MOMENTS) };
    const { steps, ...result } = await crashAt(own, crash, options);
    to = Math.max(options.from, Math.min(to, steps) - 1);
    return result;
  });
}

/** Ends a run at one of its steps, then continues it. @returns how many steps it took up to there */
export async function crashAt(
  context: AttackContext,
  crash: Crash,
  { how, secondPayments, afterwards }: CrashKind,
): Promise<AttackResult & { readonly steps: number }> {
  return inArena(context, {}, async (arena) => {
    const { table } = arena.places;
    fs.writeFileSync(table, OLD_TABLE);
    const { exitCode, isStuck, report } = await arena.live({ how, plan: { crash } }).ended;
    const isCrashed = exitCode === null && !isStuck;
    if (isCrashed) afterwards?.(context.folder, report.unsynced);
    const stands = fs.existsSync(table) ? fs.readFileSync(table, 'utf8') : null;
    const broken = [...(await continueAndCheck(context, arena, secondPayments))];
    if (stands !== OLD_TABLE && stands !== fs.readFileSync(table, 'utf8'))
      broken.push('table: after the crash it was neither the old nor the new one');
    return { fired: isCrashed ? report.fired : [], broken, steps: report.operations.length };
  });
}

export const KILL: Attacked = {
  name: 'kill',
  says: 'After a kill the same command continues: no row is lost, nothing is paid twice unreported, and the table is the same as without the kill',
  attackedBy: 'SIGKILL of a process at the k-th write, sync, rename, link, removal or request while work is in flight',
  minimum: 20,
  attack: (context) =>
    crashOnce(context, {
      how: 'process',
      ...findWork(context.reference.undisturbed[context.lane]),
      secondPayments: context.lane === 'live' ? CONCURRENCY : 0,
    }),
};

export const CRASH: Attacked = {
  name: 'crash',
  says: 'The same holds at every step from the first folder to the last file',
  attackedBy: 'a run in a thread that ends before, during or after its k-th step',
  minimum: 6,
  attack: (context) =>
    crashOnce(context, {
      how: 'thread',
      from: 1,
      to: context.reference.undisturbed[context.lane].operations.length,
      secondPayments: context.lane === 'live' ? CONCURRENCY : 0,
    }),
};
