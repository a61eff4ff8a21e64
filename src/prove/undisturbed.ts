import path from 'node:path';
import { AppError, EXIT } from '../core/errors.ts';
import { type Arena, openArena } from './arena.ts';
import type { Evidence } from './check/evidence.ts';
import { type Expected, findViolations } from './check/find-violations.ts';
import type { LifeEnd } from './life.ts';
import type { Starter } from './starter.ts';
import { EXPECTED_CALLS, EXPECTED_ROWS, type LaneName, planRowFaults, SECRET_KEY } from './table.ts';

/** The result of the small job when nothing happens to it. */
export interface Undisturbed {
  readonly evidence: Evidence;
  /** Everything the run did that outlives it, in order. */
  readonly operations: readonly string[];
}

/** Where the work happens: from the first request to the new table. Counted from 1. */
export function findWork({ operations }: Undisturbed): { readonly from: number; readonly to: number } {
  return { from: operations.findIndex((operation) => operation.startsWith('send')) + 1, to: operations.indexOf('rename out.csv') + 1 };
}

/** What every attack is compared with. */
export interface Reference {
  readonly rowFaults: readonly unknown[];
  readonly undisturbed: Readonly<Record<LaneName, Undisturbed>>;
}

/** What must hold however the run went. */
export function expectResult(table: Expected['table'], secondPayments: number, mixesLanes = false): Expected {
  return { rows: EXPECTED_ROWS, calls: EXPECTED_CALLS, table, allows: { secondPayments, mixesLanes }, secrets: [SECRET_KEY] };
}

/** Runs the job in both lanes; its keys, which select the two faulty rows, are taken from an earlier run. */
export async function readReference(starter: Starter, root: string): Promise<Reference> {
  const rowFaults = planRowFaults(await readKeys(starter, path.join(root, 'keys')));
  const run = async (lane: LaneName): Promise<Undisturbed> => {
    const arena = await openArena(starter, { lane, folder: path.join(root, `undisturbed-${lane}`), faults: rowFaults });
    try {
      const end = await liveUndisturbed(arena);
      const evidence = arena.read(end);
      const violations = [...findViolations(evidence, expectResult(null, 0))];
      if (violations.length > 0) throw refuseReference(arena, `breaks its promises: ${violations.join('\n')}`);
      return { evidence, operations: end.report.operations };
    } finally {
      await arena.close();
    }
  };
  const [batch, live] = await Promise.all([run('batch'), run('live')]);
  return { rowFaults, undisturbed: { batch, live } };
}

function liveUndisturbed(arena: Arena): Promise<LifeEnd> {
  return arena.liveToEnd().catch((error: Error) => {
    throw refuseReference(arena, `does not end: ${error.message}`);
  });
}

/** Nothing can be compared with such a run. */
function refuseReference({ lane, places }: Arena, what: string): AppError {
  return new AppError(`the undisturbed ${lane} run ${what}\nkept: ${places.folder}`, { code: 'broken', exitCode: EXIT.bug });
}

async function readKeys(starter: Starter, folder: string): Promise<Evidence['rowKeys']> {
  const arena = await openArena(starter, { lane: 'live', folder, faults: [] });
  try {
    return arena.read(await liveUndisturbed(arena)).rowKeys;
  } finally {
    await arena.close();
  }
}
