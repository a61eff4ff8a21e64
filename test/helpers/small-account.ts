import { makeRows, makeWorld } from './run-world.ts';

/** What a job over a small account's queue came to. */
export interface SmallAccount {
  readonly rows: number;
  readonly batches: number;
  /** Batches refused because the queue was full. */
  readonly refused: number;
}

/** A job far larger than the account's queue of enqueued tokens has to finish by itself, every row paid once. Throws where it does not. */
export async function runOnSmallAccount(rows: number, enqueuedTokens: number): Promise<SmallAccount> {
  const ends: (() => Promise<void>)[] = [];
  const world = await makeWorld({ after: (end) => void ends.push(end) }, { rows: makeRows(rows), enqueuedTokens });
  try {
    const { summary } = await world.run();
    const paid = world.simulator.bill().length;
    if (summary.exitCode !== 0 || paid !== rows || summary.attempts.total !== rows)
      throw new Error(`exit ${summary.exitCode}, ${paid} paid, ${summary.attempts.total} attempts of ${rows} rows: ${summary.verdict}`);
    world.check(summary);
    return { rows, batches: summary.batches.length, refused: summary.batches.filter(({ status }) => status === 'failed').length };
  } finally {
    for (const end of ends) await end();
  }
}
