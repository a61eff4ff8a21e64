import type { Arena } from '../arena.ts';
import { type AttackContext, type Attacked, type AttackResult, continueAndCheck, inArena, takeTurn, waitUntil } from '../attack.ts';
import type { Life } from '../life.ts';
import { chooseDatabase, emptyDatabase } from '../redis-link.ts';
import type { SeamPlan } from '../seam/plan.ts';
import { CONCURRENCY } from '../table.ts';

const CALLS = 'POST /v1/chat/completions';

/** A run whose calls are made by a worker in another process, over a Redis database of its own. */
interface Stage {
  readonly arena: Arena;
  readonly redis: string;
  /** The flags of the run. */
  readonly flags: readonly string[];
  startWorker(): Life;
  /** Resolves when this many calls of the run have arrived, or it has ended. */
  callsSeen(calls: number, run: Life): Promise<boolean>;
}

/** What may go wrong, and how much may be paid twice because of it. */
interface Trouble {
  readonly secondPayments: number;
  /** @returns what happened; null if nothing did */
  readonly befall: (stage: Stage, context: AttackContext, worker: Life) => Promise<string | null>;
}

type Crash = Required<SeamPlan>['crash'];

/** The run ends while it stores answers: its worker continues, and what it leaves in Redis waits. */
async function crashRun({ arena, flags }: Stage, crash: Crash): Promise<string | null> {
  const { exitCode, report } = await arena.live({ flags, plan: { crash } }).ended;
  return exitCode === null ? (report.fired[0] ?? null) : null;
}

/** Answers have been read from Redis and are not on disk yet. */
const UNKEPT: Crash = { on: 'write live', at: 1, moment: 'before' };

function chooseCrash({ dice }: AttackContext): Crash {
  const steps = [
    { on: 'write live', at: 1 },
    { on: 'sync live', at: 1 },
    { on: 'write events', at: dice.between(2, 3) },
  ];
  return { ...dice.pick(steps), moment: dice.pick(['before', 'after'] as const) };
}

/** The worker dies with some calls of its jobs in flight and others done, and another one starts: finished calls are not made again. */
async function killWorker({ arena, flags, startWorker, callsSeen }: Stage, _: AttackContext, worker: Life): Promise<string | null> {
  const run = arena.live({ flags });
  // This many start only when others have ended.
  await callsSeen(CONCURRENCY + 2, run);
  worker.kill();
  await worker.ended;
  startWorker();
  await run.ended;
  return 'a worker was killed';
}

/** Redis loses all data while the run works. */
async function forget({ arena, flags, redis, callsSeen }: Stage): Promise<string | null> {
  const run = arena.live({ flags });
  await callsSeen(2, run);
  await emptyDatabase(redis);
  await run.ended;
  return 'Redis forgot everything';
}

const TROUBLES: readonly Trouble[] = [
  { befall: (stage) => crashRun(stage, UNKEPT), secondPayments: 0 },
  { befall: forget, secondPayments: 4 * CONCURRENCY },
  { befall: (stage, context) => crashRun(stage, chooseCrash(context)), secondPayments: 0 },
  { befall: killWorker, secondPayments: CONCURRENCY },
];

async function attack(context: AttackContext): Promise<AttackResult> {
  const redis = chooseDatabase(context.redisUrl as string, context.number, 'redis');
  const inLive = { ...context, lane: 'live' as const };
  const trouble = takeTurn(context, TROUBLES);
  await emptyDatabase(redis);
  return inArena(inLive, { simulator: { latencyMs: 60 } }, async (arena) => {
    const workers: Life[] = [];
    const startWorker = () => {
      const worker = arena.startWorker(redis);
      workers.push(worker);
      return worker;
    };
    const callsSeen = (calls: number, run: Life) => waitUntil(() => (arena.simulator.requests()[CALLS] ?? 0) >= calls, run);
    const flags = ['--redis', redis];
    try {
      const what = await trouble.befall({ arena, redis, flags, startWorker, callsSeen }, inLive, startWorker());
      const broken = await continueAndCheck(inLive, arena, trouble.secondPayments, { flags });
      return { fired: what === null ? [] : [what], broken };
    } finally {
      for (const worker of workers) worker.kill();
      await Promise.all(workers.map(({ ended }) => ended));
      await emptyDatabase(redis);
    }
  });
}

/** Only if a Redis is given. */
export const REDIS: Attacked = {
  name: 'redis',
  says: 'The same holds over Redis: the run, its workers and Redis may die or lose data, and anything that may have been billed is reported',
  attackedBy: 'a run that ends at the k-th step of storing answers, a worker killed with calls in flight, a Redis emptied during the run',
  minimum: 4,
  attack,
};
