import type { Job } from '../../core/job.ts';
import { joinWords } from '../../core/wording/join-words.ts';
import { formatCount, formatDollars, formatThings } from '../../output/format-numbers.ts';
import type { PlanRows } from './plan-result.ts';
import { countAsked } from './spending.ts';

/** What a plan is compared with. */
export interface ComparedRows {
  readonly rows: PlanRows;
  /** Rows of the last run that are no longer in the table; null if only a part of the table is read. */
  readonly gone: number | null;
  /** Expected cost of all requests, in the job's lane; null if unknown. */
  readonly expectedNanoUsd: number | null;
  /** Whether every row is sent again on request. */
  readonly isFresh: boolean;
  /** Failed requests to be retried on request. */
  readonly reopened: number;
  /** Rows to be sent although they were answered before an earlier `--fresh`. */
  readonly answeredBefore: number;
}

/** What differs from the last run, in words with rows and dollars; empty if nothing does. */
export function describeChanges(job: Job, lastJob: Job | null, compared: ComparedRows): readonly string[] {
  const { rows, gone, expectedNanoUsd, isFresh, reopened, answeredBefore } = compared;
  const requests = countAsked({ rows });
  const price = (count: number) =>
    expectedNanoUsd === null || requests === 0 ? '' : `, ${formatDollars(Math.round((expectedNanoUsd * count) / requests))}`;
  const of = (count: number) => `${formatCount(count)} of ${formatThings(rows.in, 'row')}`;
  const aspects = lastJob === null ? [] : listChangedAspects(job, lastJob);
  const changes: string[] = [];
  if (aspects.length > 0) changes.push(`${joinWords(aspects)} changed: ${of(rows.changed)} would be sent again${price(rows.changed)}`);
  else if (rows.changed > 0) changes.push(`the table changed: ${of(rows.changed)} would be sent again${price(rows.changed)}`);
  if (isFresh && rows.again > 0)
    changes.push(`--fresh: ${of(rows.again)} would be sent again${price(rows.again)}; their old answers no longer count`);
  if (answeredBefore > 0)
    changes.push(
      `${of(answeredBefore)} ${answeredBefore === 1 ? 'was' : 'were'} answered before --fresh or clean --answers: sent, and paid, again${price(answeredBefore)}`,
    );
  if (reopened > 0) changes.push(`failed rows are opened again: ${of(reopened)} would be sent again${price(reopened)}`);
  if (rows.new > 0) changes.push(`${of(rows.new)} are new${price(rows.new)}`);
  if (gone !== null && gone > 0)
    changes.push(`${formatCount(gone)} ${gone === 1 ? 'row of the last run is' : 'rows of the last run are'} gone; their answers are kept`);
  return changes;
}

/** The parts of a job that are in its requests, and differ from those of an earlier one. */
export function listChangedAspects(job: Job, last: Job): readonly string[] {
  const isOther = (pick: (job: Job) => unknown) => JSON.stringify(pick(job)) !== JSON.stringify(pick(last));
  return [
    ...(isOther(({ messages }) => messages) ? ['the prompt'] : []),
    ...(isOther(({ labels }) => labels) ? ['the labels'] : []),
    ...(isOther(({ model, input }) => (input.format === 'requests' ? '' : model)) ? [`the model (${last.model}, now ${job.model})`] : []),
    ...(isOther(({ examples }) => examples) ? ['the examples'] : []),
    ...(isOther(({ endpoint }) => endpoint) ? ['the endpoint'] : []),
    ...(isOther(({ params }) => params) ? ['the parameters'] : []),
    ...(isOther(({ output }) => output) ? ['the output'] : []),
  ];
}
