import { resolve } from 'node:path';
import { clip } from '../core/bounds/clip.ts';
import { createFailuresWriter, isFailure } from '../output/failures-writer.ts';
import { finishRows } from '../run/finish/finish-rows.ts';
import { selectRows } from '../run/open/selection.ts';
import { type OpenState, openState, type ReadOptions } from './open-state.ts';
import { refuseDestinations } from './refuse-destinations.ts';

/** The failed and skipped rows of a job, by cause (`failures --json`). */
export interface Failures {
  readonly schema: 'rowmill.failures/1';
  readonly job: string;
  readonly run: string | null;
  readonly simulated: boolean;
  readonly rows: { readonly in: number; readonly failed: number; readonly skipped: number; readonly pending: number };
  /** The most frequent first. */
  readonly causes: readonly FailureGroup[];
  /** Rows that are ok because a code fence or text around their JSON was removed; absent if there are none. */
  readonly unwrapped?: { readonly count: number; readonly example: FailureExample };
  /** The cap of the job's answers (`params.max_output_tokens`); null without one. */
  readonly outputCap: number | null;
  /** The provider of the answers, and its address if it needs one. */
  readonly origin: string;
  readonly baseUrl: string | null;
  /** Where `--csv` wrote all of them; null if not requested, or there are none. */
  readonly csv: string | null;
}

export interface FailureGroup {
  readonly cause: string;
  readonly count: number;
  /** Whether the rows were sent: skipped ones change only with the table or the job. */
  readonly status: 'failed' | 'skipped';
  readonly example: FailureExample;
  /** The first rows of the cause, at most three, including the example. */
  readonly examples: readonly FailureExample[];
}

/** A row of a cause. */
export interface FailureExample {
  /** From 1. */
  readonly row: number;
  readonly file: string;
  readonly line: number;
  readonly id: string;
  readonly key: string | null;
  readonly message: string;
  /** The cells used in the prompt, as one line of at most 200 characters; empty if they are. */
  readonly text: string;
}

const MAX_EXAMPLES = 3;
const MAX_TEXT_CHARACTERS = 200;

/** Groups a job's failed and skipped rows. @param csvPath where to write each of them as a table; null for nowhere */
export async function readFailures(options: ReadOptions, csvPath: string | null): Promise<Failures> {
  const opened = await openState(options);
  try {
    refuseDestinations(options, opened.prepared, { files: [{ path: csvPath, name: 'the table of failures' }] });
    return await groupFailures(opened, options, csvPath === null ? null : resolve(options.cwd, csvPath));
  } finally {
    await opened.ledger.close();
  }
}

async function groupFailures(opened: OpenState, options: ReadOptions, csvPath: string | null): Promise<Failures> {
  const { ledger, prepared } = opened;
  const { table, compiled } = prepared;
  const run = ledger.fold.runs.at(-1);
  const { excel, delimiter } = compiled.job.write;
  const writer = csvPath === null ? null : createFailuresWriter({ path: csvPath, readId: compiled.rowId, excel, delimiter });
  const groups = new Map<string, FailureGroup>();
  const unwrapped: { count: number; example: FailureExample | null } = { count: 0, example: null };
  const counts = { in: 0, ok: 0, failed: 0, skipped: 0, pending: 0 };
  for await (const rows of finishRows({
    ...{ table, compiled, ledger, stepOf: opened.stepOf, costOf: opened.books.costOf },
    selected: await selectRows({ type: 'all' }, table, options.signal),
    run: run?.id ?? '',
    signal: options.signal,
  })) {
    for (const finished of rows) {
      const { row, key, disposition } = finished;
      counts.in += 1;
      counts[disposition.status] += 1;
      await writer?.write(finished);
      const place = { row: row.index + 1, file: row.file, line: row.line, id: compiled.rowId(row), key };
      const describe = (message: string) => ({ ...place, message, text: clip(compiled.rowText(row), MAX_TEXT_CHARACTERS) });
      if (finished.note !== undefined) {
        unwrapped.count += 1;
        unwrapped.example ??= describe(finished.note);
      }
      if (!isFailure(disposition)) continue;
      const { status, cause, message } = disposition;
      const { count, examples } = groups.get(cause) ?? { count: 0, examples: [] };
      const shown = examples.length < MAX_EXAMPLES ? [...examples, describe(message)] : examples;
      groups.set(cause, { cause, status, count: count + 1, example: shown[0] as FailureExample, examples: shown });
    }
  }
  const { ok: _ok, ...rows } = counts;
  const cap = compiled.job.params.max_output_tokens;
  const written = writer === null ? null : await writer.finish();
  return {
    schema: 'rowmill.failures/1',
    job: opened.job,
    run: run?.id ?? null,
    simulated: opened.simulated,
    rows,
    causes: [...groups.values()].toSorted((a, b) => b.count - a.count),
    ...(unwrapped.example === null ? {} : { unwrapped: { count: unwrapped.count, example: unwrapped.example } }),
    outputCap: typeof cap === 'number' ? cap : null,
    origin: opened.state.origin,
    baseUrl: opened.lastRun?.paths.baseUrl ?? null,
    csv: written === null ? null : csvPath,
  };
}
