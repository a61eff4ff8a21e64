import { AppError } from '../../core/errors.ts';
import type { LaneName } from '../../core/lane.ts';
import type { Request } from '../../core/request.ts';
import type { NotAsked, OtherRows } from '../../core/summary.ts';
import { mayReadImageFiles } from '../../input/request/compile-images.ts';
import { createStepOf, type KeyStep } from '../open/next-step.ts';
import type { OpenedLedger } from '../open/open-job-ledger.ts';
import type { PreparedJob } from '../open/prepared-job.ts';
import { createRowKeys } from '../open/row-keys.ts';
import type { SelectedRows } from '../open/selection.ts';
import type { RunOptions } from '../options.ts';
import { choosePrice } from './choose-lane.ts';
import { longContextOver, priceWork } from './cost.ts';
import { createEvenSample } from './even-sample.ts';
import { readMeasured } from './measured-answers.ts';
import { createPromptCount } from './prompts.ts';
import { makeWork, REQUEST_GROUP } from './work.ts';

export interface RestOptions {
  readonly prepared: PreparedJob;
  readonly opened: Pick<OpenedLedger, 'ledger' | 'history'>;
  /** The rows of the pilot. */
  readonly selected: SelectedRows;
  readonly laneName: LaneName;
  readonly options: Pick<RunOptions, 'effects' | 'priceAsOf' | 'signal' | 'commands'>;
}

type PricedRest = Omit<RestOptions, 'selected' | 'options'> & { readonly options: Pick<RunOptions, 'effects' | 'priceAsOf'> };

/** A request of the rest, and its group in a table of requests. */
export interface RestRequest {
  readonly request: Request;
  readonly group: number | null;
}

/** More requests than this are priced by an even sample of them: at least so many, at most twice as many. */
export const SAMPLE_REQUESTS = 500;

/**
 * What a pilot has not asked, by one pass over the table, with the rows, and their price, that a plan of the whole table would show. Null where nothing
 * is left, and where telling would take a program's functions or the files of images: they belong to the run that asks.
 */
export async function planRest({ prepared, opened, selected, laneName, options }: RestOptions): Promise<NotAsked | null> {
  const { compiled, table } = prepared;
  const { job } = compiled;
  if (compiled.hasCode || mayReadImageFiles(job)) return null;
  const { keys } = opened.ledger;
  const stepOf = createStepOf(opened.ledger, job, 'reading');
  const keyRow = createRowKeys(keys, { compiled, addsKeys: true });
  const sample = createEvenSample<RestRequest>(SAMPLE_REQUESTS);
  const others = { answered: 0, failed: 0, skipped: 0, inFlight: 0 };
  let [rows, requests, of] = [0, 0, 0];
  try {
    for await (const chunk of table.readRows(options.signal)) {
      for (const row of chunk) {
        of += 1;
        const keyed = keyRow(row);
        if (selected.has(row.index)) continue;
        const other = keyed.status === 'skipped' ? 'skipped' : OTHERS[stepOf(keyed.id)];
        if (other !== undefined) others[other] += 1;
        if (other !== undefined || keyed.status === 'skipped') continue;
        rows += 1;
        const { request, isDuplicate } = keyed;
        if (isDuplicate || request === null) continue;
        requests += 1;
        sample.offer({ request, group: row.request?.group ?? null });
      }
    }
  } catch (error) {
    // Problems of other rows are reported by the run that sends them.
    if (error instanceof AppError) return null;
    throw error;
  }
  if (rows === 0) return null;
  const sampledNanoUsd = priceSample(sample.kept, { prepared, opened, laneName, options });
  const expectedNanoUsd = sampledNanoUsd === null ? null : Math.round((sampledNanoUsd / sample.kept.length) * requests);
  const fresh = opened.ledger.fold.generation === 0 ? {} : { sinceFresh: true as const };
  return { rows, requests, of, others, ...fresh, expectedNanoUsd, command: options.commands.whole ?? null };
}

/** Rows that the next run would not send. */
const OTHERS: Readonly<Partial<Record<KeyStep, keyof OtherRows>>> = { done: 'answered', failed: 'failed', 'in-flight': 'inFlight' };

/** What requests should cost in a lane, by the length of the answers there are; null if their price is unknown. */
export function priceSample(sample: readonly RestRequest[], { prepared, opened, laneName, options }: PricedRest): number | null {
  const { compiled, tokens, findPrice } = prepared;
  const { job } = compiled;
  const prices = { findPrice, model: job.model, at: options.priceAsOf ?? options.effects.clock().toISOString() };
  const prompts = createPromptCount(tokens, {
    longOverTokens: ({ model = job.model }) => longContextOver({ ...prices, model }),
    isExact: false,
  });
  for (const { request, group } of sample) prompts.add(request, group === null ? {} : { [REQUEST_GROUP]: group });
  const counted = prompts.finish(() => null);
  const answers = readMeasured(opened, job, () => {});
  const beginningTokens = tokens.own.findCacheBeginning()?.tokens ?? 0;
  return (
    priceWork(prices, makeWork(job, { ...counted, beginningTokens }, answers))[choosePrice(job.mode, laneName)]?.expectedNanoUsd ?? null
  );
}
