import path from 'node:path';
import type { SimulatorOptions } from '../../simulator/options.ts';
import type { Arena } from '../arena.ts';
import { type AttackContext, type Attacked, type AttackResult, attackUntilFired, inArena, takeTurn } from '../attack.ts';
import { type AccountUse, readAccountUse } from '../check/account-use.ts';
import { findViolations } from '../check/find-violations.ts';
import type { Life } from '../life.ts';
import { chooseDatabase, emptyDatabase } from '../redis-link.ts';
import { expectAllOk, makeManyRows } from '../table.ts';

/** An account that is too small for its job. */
interface SmallAccount {
  readonly name: string;
  readonly provider: Pick<SimulatorOptions, 'requestsPerMinute' | 'tokensPerMinute'> & { readonly burstSeconds: number };
  /** What the job says of it; otherwise the headers of the answers tell. */
  readonly limits: string;
  /** 0: the run makes its calls itself. */
  readonly workers: number;
}

/** Eight rows a second. */
const REQUESTS_PER_MINUTE = 480;
const TOKENS_PER_MINUTE = 20_000;
/** At this rate they last ten seconds. */
const ROWS = 100;
const LATENCY_MS = 20;
const SLOTS = 16;

const REQUESTS = { requestsPerMinute: REQUESTS_PER_MINUTE, burstSeconds: 4 };
const NAMED: SmallAccount = { name: 'requests', provider: REQUESTS, limits: `rpm: ${REQUESTS_PER_MINUTE}, `, workers: 0 };
const TOLD: SmallAccount = { ...NAMED, name: 'requests, learned from headers', limits: '' };
const TOKENS: SmallAccount = {
  name: 'tokens, learned from headers',
  provider: { tokensPerMinute: TOKENS_PER_MINUTE, burstSeconds: 10 },
  limits: '',
  workers: 0,
};
const SHARED: SmallAccount = { ...NAMED, name: 'requests, shared by two workers', workers: 2 };

/** Of what the account allows in a window, whatever its length. */
const MOST_USED = 1.05;
/** Of all calls. */
const MOST_REFUSED = 0.02;
/** Of the limit, while rows wait. A slow machine uses less than docs/benchmarks.md shows: a second try tells it from a slow program. */
const LEAST_USED = 0.6;
const TRIES = 2;
const WARM_UP_MS = 2_000;

function attack(context: AttackContext): Promise<AttackResult> {
  const account = takeTurn(context, context.redisUrl === null ? [NAMED, TOKENS, TOLD] : [TOLD, SHARED, TOKENS, NAMED]);
  return attackUntilFired({ ...context, lane: 'live' }, TRIES, async (own, isLast) => {
    const { use, ...result } = await useUp(own, account);
    if (use === null || use.used >= LEAST_USED) return result;
    if (!isLast) return { fired: [], broken: result.broken };
    return { ...result, broken: [...result.broken, `limits: ${account.name}: only ${percent(use.used)} of the limit were used`] };
  });
}

/** Runs a job that lasts as long as its account makes it last. */
function useUp(context: AttackContext, account: SmallAccount): Promise<AttackResult & { readonly use: AccountUse | null }> {
  const { provider, limits } = account;
  const rows = makeManyRows(ROWS);
  const traceFile = path.join(context.folder, 'provider', 'trace.jsonl');
  const simulator = { ...provider, latencyMs: LATENCY_MS, traceFile };
  return inArena(context, { rows, limits: `${limits}concurrency: ${SLOTS}`, simulator }, async (arena) => {
    const end = await runWithWorkers(context, arena, account.workers);
    if (end.exitCode !== 0) return { fired: [account.name], broken: [`limits: exit ${end.exitCode}: ${end.stderr.trim()}`], use: null };
    const broken = [...findViolations(arena.read(end), expectAllOk(ROWS))];
    const { requestsPerMinute = null, tokensPerMinute = null, burstSeconds } = provider;
    const use = readAccountUse(
      { billFile: path.join(arena.places.provider, 'bill.jsonl'), traceFile },
      {
        requestsPerMinute,
        tokensPerMinute,
        allowedSeconds: (windowMs) => windowMs / 1000 + burstSeconds,
        warmUpMs: WARM_UP_MS,
        tailMs: 0,
      },
    );
    const { fullest, refused } = use;
    if (fullest > MOST_USED) broken.push(`limits: ${account.name}: ${percent(fullest)} of what is allowed in a window were used`);
    if (refused > MOST_REFUSED) broken.push(`limits: ${account.name}: ${percent(refused)} of the calls were refused as too many`);
    // Rows that all go out at once are not held back by anything.
    const isHeldBack = use.seconds > WARM_UP_MS / 1000 || refused > 0;
    return { fired: isHeldBack ? [account.name] : [], broken, use };
  });
}

async function runWithWorkers({ redisUrl, number }: AttackContext, arena: Arena, count: number) {
  if (count === 0) return arena.live().ended;
  const redis = chooseDatabase(redisUrl as string, number, 'limits');
  await emptyDatabase(redis);
  const workers: Life[] = Array.from({ length: count }, () => arena.startWorker(redis, SLOTS));
  try {
    return await arena.live({ flags: ['--redis', redis] }).ended;
  } finally {
    for (const worker of workers) worker.kill();
    await Promise.all(workers.map(({ ended }) => ended));
    await emptyDatabase(redis);
  }
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

export const LIMITS: Attacked = {
  name: 'limits',
  says: `The limits of an account are used and kept, by one process and by several workers: never more than ${percent(MOST_USED - 1)} above what the provider allows in a window, whatever its length`,
  attackedBy:
    'a job that needs ten seconds of its account: limits on requests or tokens, set by the job or learned from headers only; over Redis with two workers',
  minimum: 3,
  waits: true,
  attack,
};
