import type { Job } from '../core/job.ts';
import { loadPrices } from '../input/job/load-prices.ts';
import type { LedgerFold } from '../ledger/events/fold.ts';
import type { Ledger, LedgerOptions } from '../ledger/ledger.ts';
import { hostOfOrigin } from '../ledger/origin.ts';
import { makeCostOf } from '../money/cost.ts';
import type { BoundedJob } from '../money/cost-bound.ts';
import { createFindPrice, type FindPrice } from '../money/price.ts';
import { findPriceSource } from '../money/price-source.ts';
import { type Books, createBooks } from '../run/open/books.ts';
import { keepsCacheLong } from '../run/open/prepare.ts';
import { findPossiblyBilled, type PossiblyBilled } from '../run/send/possibly-billed.ts';
import { guessJobFolder, readKeptJob } from './kept-job.ts';
import { readStateEvents } from './last-run.ts';
import type { ReadOptions } from './open-state.ts';
import { openWithoutJob } from './open-without-job.ts';

/** What a state directory has cost, counted from its records: neither the job file nor the table nor the answers are needed. */
export interface StateMoney {
  /** The state's events, as read before its answers. */
  readonly fold: LedgerFold;
  /** The job of its last run that stored one; null if none can be read. */
  readonly job: Job | null;
  readonly books: Books;
  /** Counts every record once; the caller closes the ledger. @param visit called for each, after the books */
  count(visit?: LedgerOptions['visit']): Promise<CountedMoney>;
}

export interface CountedMoney {
  readonly ledger: Ledger;
  /** Calls that may have been billed without an answer. @param run null for all runs */
  findPossiblyBilled(run: string | null): Promise<PossiblyBilled>;
}

export interface StateMoneyOptions extends Pick<ReadOptions, 'effects' | 'cwd' | 'signal'> {
  /** The location of the job file, if any: the custom prices are there. */
  readonly jobFolder: string | null;
}

/** The bound of a call of an unknown job: none. */
export const UNKNOWN_JOB: BoundedJob = { model: '', params: {}, messages: [], votes: 1, endpoint: '/v1/chat/completions', mode: 'batch' };

/** The prices of an origin's answers. @param job null if it cannot be read */
export async function loadPricesOf(origin: string, job: Job | null, { folder, cwd }: JobFolder): Promise<FindPrice> {
  const from = findPriceSource(hostOfOrigin(origin));
  return createFindPrice(await loadPrices(folder, cwd), { from, keepsCacheLong: keepsCacheLong(job?.params ?? {}) });
}

interface JobFolder {
  readonly folder: string;
  readonly cwd: string;
}

/** @throws LedgerError, NewerFormatError, DiskError if it cannot be read */
export async function openStateMoney(
  { directory, job: name }: { readonly directory: string; readonly job: string },
  options: StateMoneyOptions,
): Promise<StateMoney> {
  const fold = await readStateEvents({ directory, origin: '' }, options.signal);
  const folder = options.jobFolder ?? guessJobFolder(directory, options.cwd);
  const job = await readKeptJob(directory, fold, { folder, cwd: options.cwd });
  const findPrice = await loadPricesOf(fold.origin, job, { folder, cwd: options.cwd });
  const books = createBooks(makeCostOf({ findPrice }));
  const prepared = { findPrice, compiled: { job: job ?? UNKNOWN_JOB } };

  async function count(visit: LedgerOptions['visit'] = () => {}): Promise<CountedMoney> {
    // Whether an answer was billed does not depend on its rules.
    const ledger = await openWithoutJob(options, {
      directory,
      origin: fold.origin,
      job: name,
      takesVectors: job?.endpoint === '/v1/embeddings',
      visit(...record) {
        books.visit(...record);
        visit(...record);
      },
    });
    const { clock } = options.effects;
    return {
      ledger,
      findPossiblyBilled: (run) => findPossiblyBilled({ ledger, books, run, prepared, priceAsOf: null, clock, warn: () => {} }),
    };
  }

  return { fold, job, books, count };
}
