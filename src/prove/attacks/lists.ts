import type { Arena } from '../arena.ts';
import { type AttackContext, type Attacked, type AttackResult, continueAndCheck, inArena, takeTurn, waitUntil } from '../attack.ts';
import { EXPECTED_CALLS, SECRET_KEY } from '../table.ts';

const CREATES = 'POST /v1/batches';
/** More than a page holds. */
const OTHERS = 110;

/** A run is killed while its create is under way: only the provider's list knows of the batch. */
async function loseCreate(context: AttackContext, arena: Arena): Promise<boolean> {
  const life = arena.live();
  await waitUntil(() => (arena.simulator.requests()[CREATES] ?? 0) > 0, life);
  // The hanging answer is not waited for: what it did is done.
  await arena.simulator.advance(0);
  life.kill();
  return (await life.ended).exitCode === null && context.lane === 'batch';
}

/** Batches of somebody else. */
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

/** A list in any order and behind any number of others' batches is read as far as ours may be. */
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

/** A batch that is gone for a while, or answers with the id of another. */
async function loseBatch(context: AttackContext): Promise<AttackResult> {
  const { vanishMs, secondPayments } = takeTurn(context, [
    { vanishMs: 200, secondPayments: 0 },
    { vanishMs: 500, secondPayments: EXPECTED_CALLS },
    { vanishMs: 3_000, secondPayments: EXPECTED_CALLS },
  ]);
  return inArena(context, { faults: [{ name: 'vanish', match: { batch: 1 }, do: { vanishMs } }] }, async (arena) => {
    const broken = await continueAndCheck(context, arena, secondPayments);
    return { fired: arena.simulator.faultsFired().flatMap(({ name, fired }) => (name === 'vanish' && fired > 0 ? [name] : [])), broken };
  });
}

export const LISTS: readonly Attacked[] = [
  {
    name: 'lists',
    says: 'A batch whose id was never heard is found in the list, in whatever order and behind however many of others',
    attackedBy:
      'a run killed while its create is under way, and an account with more batches than a page, the newest first, last or anywhere',
    minimum: 3,
    attack: (context) => findInList({ ...context, lane: 'batch' }),
  },
  {
    name: 'vanished',
    says: 'A batch that is gone is asked for again once at most, and told; when it comes back, what it holds is taken in',
    attackedBy: 'batches that are neither found nor listed for a while',
    minimum: 3,
    attack: (context) => loseBatch({ ...context, lane: 'batch' }),
  },
];
