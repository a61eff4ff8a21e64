import type { Arena } from '../arena.ts';
import {
  type AttackContext,
  type Attacked,
  type AttackResult,
  checkEnd,
  continueAndCheck,
  inArena,
  takeTurn,
  waitUntil,
} from '../attack.ts';
import { EXPECTED_CALLS, SECRET_KEY } from '../table.ts';

const CREATES = 'POST /v1/batches';
const POLLS = 'GET /v1/batches/:id';
/** More than one page. */
const OTHERS = 110;

/** A run is killed during its create: only the provider's list knows about the batch. */
async function loseCreate(context: AttackContext, arena: Arena): Promise<boolean> {
  const life = arena.live();
  await waitUntil(() => (arena.simulator.requests()[CREATES] ?? 0) > 0, life);
  // The hanging response is not awaited: its effect has already happened.
  await arena.simulator.advance(0);
  life.kill();
  return (await life.ended).exitCode === null && context.lane === 'batch';
}

/** Batches of other users. */
async function createOthers({ simulator }: Arena): Promise<void> {
  const headers = { authorization: `Bearer ${SECRET_KEY}` };
  const line = { custom_id: 'x', method: 'POST', url: '/v1/embeddings', body: { model: 'text-embedding-3-small', input: 'x' } };
  const form = new FormData();
  form.set('purpose', 'batch');
  form.set('file', new File([`${JSON.stringify(line)}\n`], 'others.jsonl'));
  const file = (await (await fetch(`${simulator.url}/files`, { method: 'POST', headers, body: form })).json()) as { id: string };
  const body = JSON.stringify({ input_file_id: file.id, endpoint: '/v1/embeddings', completion_window: '24h' });
  for (let count = 0; count < OTHERS; count += 1)
    await fetch(`${simulator.url}/batches`, { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body });
}

/** A list in any order, with any number of other batches first, is read until ours must have appeared. */
async function findInList(context: AttackContext): Promise<AttackResult> {
  const hang = { name: 'hang', match: { method: 'POST', path: '/v1/batches', nth: 1 }, do: { hang: true, processed: true } };
  const listOrder = takeTurn(context, ['newest_first', 'oldest_first', 'mixed'] as const);
  return inArena(context, { faults: [hang], simulator: { listOrder } }, async (arena) => {
    const isLost = await loseCreate(context, arena);
    await createOthers(arena);
    const broken = await continueAndCheck(context, arena, 0);
    return { fired: isLost ? [`a create was lost, the list is ${listOrder}`] : [], broken };
  });
}

/** Until the simulator's clock is moved on. */
const VANISHED_MS = 3_600_000;
/** So many polls in a row that do not find it are no reason to give it up. */
const POLLS_IN_VAIN = 3;

/** When a batch that is gone comes back: after so many requests of a kind, if at all. */
const RETURNS = [
  { requests: CREATES, count: 2, secondPayments: EXPECTED_CALLS },
  { requests: POLLS, count: POLLS_IN_VAIN, secondPayments: 0 },
  { requests: CREATES, count: Number.POSITIVE_INFINITY, secondPayments: EXPECTED_CALLS },
] as const;

/** A batch that is gone for a while, or for good. */
async function loseBatch(context: AttackContext): Promise<AttackResult> {
  const { requests, count, secondPayments } = takeTurn(context, RETURNS);
  return inArena(context, { faults: [{ name: 'vanish', match: { batch: 1 }, do: { vanishMs: VANISHED_MS } }] }, async (arena) => {
    const life = arena.live();
    const countSeen = (kind: string) => arena.simulator.requests()[kind] ?? 0;
    if (await waitUntil(() => countSeen(requests) >= count, life)) await arena.simulator.advance(VANISHED_MS);
    const polls = countSeen(POLLS);
    const end = await life.ended;
    const isDone = end.exitCode === 0 || end.exitCode === 3;
    const broken = isDone ? checkEnd(context, arena, { end, secondPayments }) : await continueAndCheck(context, arena, secondPayments);
    return { fired: polls >= POLLS_IN_VAIN ? ['it was asked for in vain'] : [], broken };
  });
}

export const LISTS: readonly Attacked[] = [
  {
    name: 'lists',
    says: 'A batch whose id was never received is found in the list, whatever its order and however many other batches it holds',
    attackedBy: 'a run killed during its create, and an account with more than one page of batches, the newest first, last or anywhere',
    minimum: 3,
    attack: (context) => findInList({ ...context, lane: 'batch' }),
  },
  {
    name: 'vanished',
    says: 'The rows of a batch that vanished are sent again at most once, and this is reported; when the batch reappears, its results are collected',
    attackedBy: 'batches that are neither found nor listed for three polls, until their rows have been sent again, or for good',
    minimum: 3,
    attack: (context) => loseBatch({ ...context, lane: 'batch' }),
  },
];
