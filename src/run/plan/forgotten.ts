import { AppError } from '../../core/errors.ts';
import { formatThings } from '../../core/wording/format-count.ts';
import { mayReadImageFiles } from '../../input/request/compile-images.ts';
import { formatDollars } from '../../output/format-numbers.ts';
import { createRowKeys } from '../open/row-keys.ts';
import type { RunOptions } from '../options.ts';
import { chooseLane } from './choose-lane.ts';
import { createEvenSample } from './even-sample.ts';
import { priceSample, type RestOptions, type RestRequest, SAMPLE_REQUESTS } from './plan-rest.ts';

type AskedPart = Omit<RestOptions, 'laneName' | 'options'> & {
  readonly options: Pick<RunOptions, 'effects' | 'priceAsOf' | 'signal'>;
};

/**
 * Warns of what `--fresh` for a part of the table does to its other rows: their answers stop counting too. One pass over the table; it has to come
 * before the pass over the rows that are sent. Null if no other row is answered.
 */
export async function warnOfForgotten(asked: AskedPart): Promise<string | null> {
  const { prepared, opened, selected, options } = asked;
  const { compiled, table } = prepared;
  const { keys } = opened.ledger;
  if (selected.isAll) return null;
  // Rendering would take a program's functions, or the files of images.
  if (compiled.hasCode || mayReadImageFiles(compiled.job)) return describe('any stored answers of the other rows', '');
  const keyRow = createRowKeys(keys, { compiled, addsKeys: false, isAnswered: () => false });
  const sample = createEvenSample<RestRequest>(SAMPLE_REQUESTS);
  let requests = 0;
  try {
    for await (const chunk of table.readRows(options.signal)) {
      for (const row of chunk) {
        const keyed = keyRow(row);
        if (selected.has(row.index) || keyed.status === 'skipped' || keyed.isDuplicate || keyed.request === null) continue;
        if (keyed.id === -1 || keys.outcome(keyed.id) !== 'ok') continue;
        requests += 1;
        sample.offer({ request: keyed.request, group: row.request?.group ?? null });
      }
    }
  } catch (error) {
    // The run that sends these rows reports their problems.
    if (error instanceof AppError) return null;
    throw error;
  }
  if (requests === 0) return null;
  const laneName = chooseLane(compiled.job.mode, { rows: { new: 0, changed: 0, again: requests } });
  const sampledNanoUsd = priceSample(sample.kept, { ...asked, laneName });
  const price =
    sampledNanoUsd === null
      ? 'at an unknown price'
      : `for about ${formatDollars(Math.round((sampledNanoUsd / sample.kept.length) * requests))}`;
  return describe(`the ${formatThings(requests, 'stored answer')} of the other rows`, `, ${price}`);
}

function describe(answers: string, price: string): string {
  return `--fresh is about the whole table: ${answers} stop counting too, and the next run over all rows sends those again${price}. To ask some rows anew and keep all answers, leave out --fresh and add --state-dir try --out try.csv, or change the prompt, which is a new request anyway`;
}
