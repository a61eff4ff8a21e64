import assert from 'node:assert/strict';
import { parse } from 'csv-parse/sync';
import { AppError } from '../../src/core/errors.ts';
import type { JobOverrides } from '../../src/input/job/load-job.ts';
import { breakDisk, type DiskFault } from './disk-faults.ts';
import { type Cleanup, type Ended, makeRows, makeWorld, type World } from './run-world.ts';

type Mode = 'batch' | 'live';

/** How a run ended on a disk that failed. */
export interface BrokenRun {
  /** What has failed, for example `write events.jsonl`; empty where the fault did not fire. */
  readonly fired: readonly string[];
  /** Null where the run came to its end all the same. */
  readonly error: AppError | null;
  readonly ended: Ended | null;
  /** Calls on the simulator's bill by then. */
  readonly billed: number;
}

/** A small run whose disk fails at one operation. */
export interface DiskWorld {
  readonly world: World;
  /** @throws what is no sentence for a person */
  runBroken(fault: Omit<DiskFault, 'under' | 'except'>): Promise<BrokenRun>;
  /** The same command, on a disk that is well. */
  run(): Promise<Ended>;
  close(): Promise<void>;
}

const ROWS = makeRows(4);

export async function makeDiskWorld(mode: Mode): Promise<DiskWorld> {
  const ends: (() => Promise<void>)[] = [];
  const cleanup: Cleanup = { after: (end) => void ends.push(end) };
  const world = await makeWorld(cleanup, { rows: ROWS });
  const overrides = { cwd: world.directory, input: null, out: null, mode } satisfies JobOverrides & { readonly cwd: string };
  return {
    world,
    async runBroken(fault) {
      const disk = breakDisk({ ...fault, under: world.directory, except: '/provider' });
      try {
        const ended = await world.run({ overrides });
        return { fired: disk.fired, error: null, ended, billed: world.simulator.bill().length };
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        return { fired: disk.fired, error, ended: null, billed: world.simulator.bill().length };
      } finally {
        disk.mend();
      }
    },
    run: () => world.runToEnd({ overrides }, 3),
    async close() {
      for (const end of ends) await end();
    },
  };
}

/** What a run comes to, whenever and in how many pieces: rows with their answers, and the requests on the simulator's own bill. */
export interface Result {
  readonly rows: readonly string[];
  readonly bill: readonly string[];
}

export function readResult({ world }: DiskWorld): Result {
  const rows = parse(world.read('out.csv'), { columns: true }) as Record<string, string>[];
  return {
    rows: rows.map(({ id, label, summary, _status, _cost_usd }) => [id, label, summary, _status, _cost_usd].join('|')),
    bill: world.simulator
      .bill()
      .map(({ bodySha256 }) => bodySha256)
      .toSorted(),
  };
}

const undisturbed = new Map<Mode, Promise<Result>>();

/** What a run comes to that nothing disturbs. */
export function readUndisturbed(mode: Mode): Promise<Result> {
  const known = undisturbed.get(mode) ?? runUndisturbed(mode);
  undisturbed.set(mode, known);
  return known;
}

async function runUndisturbed(mode: Mode): Promise<Result> {
  const disk = await makeDiskWorld(mode);
  try {
    await disk.run();
    return readResult(disk);
  } finally {
    await disk.close();
  }
}

/** A refused disk ends a run with one sentence, and with 2 only where nothing was paid for. */
export function assertTold({ error, billed }: BrokenRun, place: string): void {
  if (error === null) return;
  assert.ok(error.exitCode === 2 || error.exitCode === 5, `${place}: exit ${error.exitCode}: ${error.message}`);
  if (error.exitCode === 2) assert.equal(billed, 0, `${place}: exit 2, and paid: ${error.message}`);
  assert.doesNotMatch(error.message, /\n|\bat .*:\d+:\d+|\.tmp-/, place);
}
