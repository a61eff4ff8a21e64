import { resolve } from 'node:path';
import type { RowCounts } from '../../core/summary.ts';
import { formatCount, formatThings } from '../../core/wording/format-count.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { openLedger } from '../../ledger/open-ledger.ts';
import { makeCostOf } from '../../money/cost.ts';
import type { BoundedJob } from '../../money/cost-bound.ts';
import { makeFingerprint } from '../../run/finish/fingerprint.ts';
import { finishRows } from '../../run/finish/finish-rows.ts';
import { sumOrphaned } from '../../run/finish/orphaned.ts';
import { type Books, createBooks } from '../../run/open/books.ts';
import type { Fingerprint } from '../../run/open/kept-summary.ts';
import { createStepOf } from '../../run/open/next-step.ts';
import type { PreparedJob } from '../../run/open/prepared-job.ts';
import { selectRows } from '../../run/open/selection.ts';
import { findPossiblyBilled } from '../../run/send/possibly-billed.ts';
import { guessJobFolder, readKeptJob } from '../kept-job.ts';
import { findStateAt } from '../last-run.ts';
import { locateState } from '../locate-state.ts';
import { type FoundState, findState, prepareForReading, type ReadOptions } from '../open-state.ts';
import { acceptAll } from '../open-without-job.ts';
import { loadPricesOf, UNKNOWN_JOB } from '../state-money.ts';
import { type BatchBooks, checkBatchUsage, checkBill, createBatchBooks } from './books.ts';
import { type Check, checkFiles, decideCheck } from './files.ts';
import { describeOpenCalls } from './open-calls.ts';
import { checkPossiblyBilled, checkSummary, checkWrittenTable, showUsd } from './summary.ts';
import { createTableDigest } from './table.ts';

/** What `verify --json` prints. */
export interface Verification {
  readonly schema: 'rowmill.verify/1';
  readonly job: string;
  readonly state: string;
  /** The run whose summary and table were compared; null if none has a summary. */
  readonly run: string | null;
  readonly simulated: boolean;
  /** Whether no check failed. */
  readonly ok: boolean;
  readonly checks: readonly Check[];
}

/** Derives everything again from the events and the response files alone, without `settled.jsonl`, and compares it with what was stored and written. */
export async function verifyState(options: ReadOptions): Promise<Verification> {
  const { state, job } = await locateState(options);
  const files = await checkFiles(state.directory, options.signal);
  const checks = [...files.checks];
  let found: FoundState | null = null;
  if (checks.every(({ status }) => status !== 'failed')) {
    found = await findState({ ...options, leaveOut: null });
    const prepared = findStateAt(resolve(options.cwd, options.jobFile)) === null ? await prepareForReading(options, found) : null;
    const rules = prepared ?? (await makeRules(options, found));
    const derived = await deriveState(options, found, rules);
    try {
      if (prepared === null)
        checks.push(...SKIPPED_WITHOUT_JOB, await checkDoubts(options, found, { prepared: rules, derived, now: null }));
      else checks.push(...(await checkDerived(options, found, prepared, derived)));
    } finally {
      await derived.ledger.close();
    }
    checks.push(checkBatchUsage(files.events, derived.batches));
    checks.push(await checkBill(state.directory, files, derived.batches));
  }
  const ok = checks.every(({ status }) => status !== 'failed');
  const run = found?.lastRun?.summary.run ?? null;
  return { schema: 'rowmill.verify/1', job, state: state.directory, run, simulated: found?.simulated ?? false, ok, checks };
}

/** Checks that need the prompts of the job. */
const SKIPPED_WITHOUT_JOB = ['rows', 'money', 'summary', 'table'].map(
  (name): Check => ({ name, status: 'skipped', detail: 'needs the job file; of a job defined in a program, a run checks it' }),
);

/** How the answers of a state are read. */
type Rules = Pick<PreparedJob, 'findPrice'> & {
  readonly compiled: Pick<PreparedJob['compiled'], 'checkAnswer' | 'rulesHash'> & { readonly job: BoundedJob };
};

/** The rules without the job: whether an answer was billed, and for how many tokens, does not depend on them. */
async function makeRules(options: ReadOptions, { state, runs }: FoundState): Promise<Rules> {
  const folder = guessJobFolder(state.directory, options.cwd);
  const job = await readKeptJob(state.directory, { runs: runs.map((id) => ({ id })) }, { folder, cwd: options.cwd });
  const checkAnswer = acceptAll(job?.endpoint === '/v1/embeddings');
  const findPrice = await loadPricesOf(state.origin, job, { folder, cwd: options.cwd });
  return { findPrice, compiled: { job: job ?? UNKNOWN_JOB, checkAnswer, rulesHash: 'none' } };
}

interface Derived {
  readonly ledger: Ledger;
  readonly books: Books;
  readonly batches: BatchBooks;
}

/** Opens the state as if nothing had been judged before: no block of `settled.jsonl` matches these rules. */
async function deriveState(options: ReadOptions, { state, job, lastRun }: FoundState, prepared: Rules): Promise<Derived> {
  const { compiled, findPrice } = prepared;
  const books = createBooks(makeCostOf({ asOf: lastRun?.prices?.asOf ?? null, findPrice }));
  const batches = createBatchBooks();
  const ledger = await openLedger({
    ...options.effects,
    directory: state.directory,
    origin: state.origin,
    job,
    access: 'read',
    // Every file is judged again, which hashes it.
    hashesResponses: false,
    checkAnswer: compiled.checkAnswer,
    rulesHash: `${compiled.rulesHash} derived again`,
    visit(record, file, call) {
      books.visit(record, file, call);
      batches.add(record, file);
    },
    signal: options.signal,
  });
  return { ledger, books, batches };
}

/** The run that is checked: the last one with a summary, or else the last one. */
function findCheckedRun({ lastRun }: FoundState, { ledger }: Derived): string {
  return lastRun?.summary.run ?? ledger.fold.runs.at(-1)?.id ?? '';
}

/** @param now as for `checkPossiblyBilled` */
async function checkDoubts(
  options: ReadOptions,
  found: FoundState,
  { prepared, derived, now }: { readonly prepared: Rules; readonly derived: Derived; readonly now: Fingerprint | null },
): Promise<Check> {
  const { lastRun } = found;
  const doubts = await findPossiblyBilled({
    ...{ ...derived, run: findCheckedRun(found, derived), prepared, priceAsOf: lastRun?.prices?.asOf ?? null },
    ...{ clock: options.effects.clock, warn: () => {} },
  });
  const { ledger } = derived;
  const openCalls = describeOpenCalls(ledger.directory, ledger.fold, options.effects.processIdentity);
  return checkPossiblyBilled(doubts, { lastRun, now, openCalls });
}

async function checkDerived(options: ReadOptions, found: FoundState, prepared: PreparedJob, derived: Derived): Promise<readonly Check[]> {
  const { lastRun, simulated } = found;
  const { ledger, books } = derived;
  const run = findCheckedRun(found, derived);
  const rows = await deriveRows(options, prepared, { ledger, books, run, simulated });
  const orphaned = await sumOrphaned({ ledger, costOf: books.costOf, run, hasRow: (key) => rows.keys.has(key) });
  const { nanoUsd: total, unpricedAttempts } = books.ofRun(run);
  const show = (nanoUsd: number) => showUsd({ nanoUsd, unpricedAttempts });
  const unpriced = unpricedAttempts === 0 ? '' : `; ${formatThings(unpricedAttempts, 'attempt')} of unknown price, in no sum`;
  const { counts } = rows;
  const checks = [
    decideCheck(
      'rows',
      counts.in === counts.ok + counts.failed + counts.skipped + counts.pending &&
        counts.ok === counts.new + counts.reused + counts.duplicate,
      `${formatCount(counts.in)} in = ${formatCount(counts.ok)} ok + ${formatCount(counts.failed)} failed + ${formatCount(counts.skipped)} skipped + ${formatCount(counts.pending)} pending`,
    ),
    decideCheck(
      'money',
      rows.nanoUsd + orphaned === total,
      `rows ${show(rows.nanoUsd)} + orphaned ${show(orphaned)} = run ${show(total)}${unpriced}`,
    ),
  ];
  const fingerprint = lastRun?.fingerprint ?? null;
  const then = fingerprint === null ? null : { path: fingerprint.table, sha256: fingerprint.tableSha256 };
  const now = then === null ? null : await makeFingerprint(prepared, ledger, then, options.signal);
  checks.push(await checkDoubts(options, found, { prepared, derived, now }));
  if (lastRun === null) return [...checks, { name: 'summary', status: 'skipped', detail: 'no run has kept a summary yet' }];
  checks.push(checkSummary({ lastRun, prepared, ledger, books, counts, tableSha256: rows.tableSha256, now }));
  checks.push(await checkWrittenTable(options, lastRun, prepared));
  return checks;
}

interface DerivedRows {
  readonly counts: RowCounts;
  readonly nanoUsd: number;
  readonly keys: ReadonlySet<string>;
  readonly tableSha256: string;
}

async function deriveRows(
  options: ReadOptions,
  prepared: PreparedJob,
  run: { readonly ledger: Ledger; readonly books: Books; readonly run: string; readonly simulated: boolean },
): Promise<DerivedRows> {
  const { compiled, table } = prepared;
  const counts = { in: 0, ok: 0, failed: 0, skipped: 0, pending: 0, new: 0, reused: 0, duplicate: 0 };
  const digest = await createTableDigest(prepared, run.simulated);
  const keys = new Set<string>();
  let nanoUsd = 0;
  const finishing = {
    ...{ table, compiled, ledger: run.ledger, run: run.run, costOf: run.books.costOf, signal: options.signal },
    stepOf: createStepOf(run.ledger, compiled.job, 'reading'),
    selected: await selectRows({ type: 'all' }, table, options.signal),
  };
  for await (const rows of finishRows(finishing)) {
    digest.add(rows);
    for (const { disposition, costNanoUsd, key } of rows) {
      counts.in += 1;
      counts[disposition.status] += 1;
      if (disposition.status === 'ok') counts[disposition.source] += 1;
      if (key !== null) keys.add(key);
      nanoUsd += costNanoUsd ?? 0;
    }
  }
  return { counts, nanoUsd, keys, tableSha256: digest.read() };
}
