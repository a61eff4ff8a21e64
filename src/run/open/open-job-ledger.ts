import type { LockWaiting } from '../../ledger/disk/holder-watch.ts';
import type { CopyPolicy, Ledger, LedgerOptions } from '../../ledger/ledger.ts';
import { openLedger } from '../../ledger/open-ledger.ts';
import { makeCostOf } from '../../money/cost.ts';
import { type AnswerHistory, createAnswerHistory } from './answer-history.ts';
import { type Books, createBooks } from './books.ts';
import type { Effects } from './effects.ts';
import type { PreparedJob } from './prepared-job.ts';

export interface OpenedLedger {
  readonly ledger: Ledger;
  readonly books: Books;
  readonly history: AnswerHistory;
  /** Subscribes to every record made from now on. */
  readonly onRecord: (listener: LedgerOptions['visit']) => void;
}

export interface OpenJobLedgerOptions {
  readonly origin: string;
  readonly access: 'write' | 'read';
  readonly effects: Pick<Effects, 'clock' | 'randomId' | 'processIdentity' | 'heartbeat'>;
  /** For write access: what to do while another process holds the lock. */
  readonly waiting?: LockWaiting;
  readonly copies?: CopyPolicy | undefined;
  readonly priceAsOf: string | null;
  /** As in `LedgerOptions`. */
  readonly hashesResponses?: boolean;
  readonly signal: AbortSignal;
}

/** Opens a job's state directory with the job's own rules for judging answers, and adds up the cost of its records on the way. */
export async function openJobLedger(prepared: PreparedJob, options: OpenJobLedgerOptions): Promise<OpenedLedger> {
  const { compiled } = prepared;
  const books = createBooks(makeCostOf({ asOf: options.priceAsOf, findPrice: prepared.findPrice }));
  const history = createAnswerHistory();
  let listener: LedgerOptions['visit'] = () => {};
  const ledger = await openLedger({
    directory: prepared.stateDirectory,
    origin: options.origin,
    job: compiled.job.name,
    access: options.access,
    checkAnswer: compiled.checkAnswer,
    rulesHash: compiled.rulesHash,
    visit(record, file, call) {
      books.visit(record, file, call);
      history.visit(record);
      listener(record, file, call);
    },
    clock: options.effects.clock,
    randomId: options.effects.randomId,
    processIdentity: options.effects.processIdentity,
    heartbeat: options.effects.heartbeat,
    copies: options.copies,
    hashesResponses: options.hashesResponses,
    ...(options.waiting === undefined ? {} : { waiting: options.waiting }),
    signal: options.signal,
  });
  const onRecord = (next: typeof listener) => {
    listener = next;
  };
  return { ledger, books, history, onRecord };
}
