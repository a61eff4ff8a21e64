import type { Job } from '../../core/job.ts';
import { isFineTuned } from '../../core/model/base-model.ts';
import { readModelParams } from '../../input/request/model-params.ts';
import { findParamDoubts } from '../../input/request/param-doubts.ts';
import type { ModelEnd } from '../../openai/model-ends.ts';
import { formatDollars } from '../../output/format-numbers.ts';
import type { KnownEnd } from '../open/model-end.ts';
import type { Advised } from './advice.ts';
import { type GuessedJob, guessReasoning } from './answer-forecast.ts';
import { type LaneCosts, priceWork } from './cost.ts';
import type { PlannedEnd, Successor } from './planned-end.ts';
import { withReasoning } from './work.ts';

export interface EndOptions extends KnownEnd {
  /** An ISO date or instant. */
  readonly today: string;
}

type AskedJob = Omit<GuessedJob, 'model'> & Pick<Job, 'confidence' | 'requests'>;

const UNPRICED: LaneCosts = { batch: null, live: null, flex: null };

/**
 * What the end of its model means for a job: when, the successor, and what the same requests cost there.
 * @param advised null if the job could not be planned
 */
export function foreseeEnd(job: AskedJob, { asked: model, end, today, holdsHere }: EndOptions, advised: Advised | null): PlannedEnd {
  const { endsOn, source } = end;
  const daysLeft = countDays(today, endsOn);
  // Only the lines of a table of requests contain their other parameters.
  const known = job.requests === undefined ? advised : null;
  const successor = end.successor === null ? null : describeSuccessor({ ...job, model }, end.successor, known);
  const when = `${model} ${describeEnd(end, model, daysLeft)}${holdsHere ? '' : ' at OpenAI'}`;
  const message = successor === null ? when : `${when}; ${proposeSuccessor(known, successor)}`;
  return { model, endsOn, daysLeft, successor, source, message };
}

function describeSuccessor(job: AskedJob & Pick<Job, 'model'>, model: string, advised: Advised | null): Successor {
  const reasoning = guessReasoning({ ...job, model }) - guessReasoning(job);
  const cost = advised === null ? UNPRICED : priceWork({ ...advised.prices, model }, withReasoning(advised.work, reasoning));
  return { model, cost, refuses: job.requests === undefined ? listRefused(job, model) : [] };
}

/** Also changes of defaults: a model that reasons changes a job that was answered at once, and one parameter prevents that. */
function listRefused(job: AskedJob & Pick<Job, 'model'>, successor: string): readonly string[] {
  const own = new Set(findParamDoubts(job).map(({ path }) => path.join('.')));
  const doubts = findParamDoubts({ ...job, model: successor }).filter(({ path }) => !own.has(path.join('.')));
  if (!mayAnswerAtOnce(job, successor)) return doubts.map(({ message }) => message);
  const refused = doubts.filter(({ path }) => path.at(-1) !== 'max_output_tokens').map(({ message }) => message);
  const note = `${successor} reasons first, which is billed as output and uses up params.max_output_tokens; ${REMEDY} lets it answer at once`;
  return refused.some((message) => message.includes(REMEDY)) ? refused : [...refused, note];
}

const REMEDY = 'params.reasoning_effort: none';

/** Whether the job's model answers at once, and its successor would too, but only if told so. */
function mayAnswerAtOnce({ model, params }: Pick<Job, 'model' | 'params'>, successor: string): boolean {
  const [own, other] = [readModelParams(model), readModelParams(successor)];
  if (own?.efforts.length !== 0 || params.reasoning_effort !== undefined || other === null) return false;
  return other.defaultEffort !== 'none' && other.efforts.includes('none');
}

function proposeSuccessor(advised: Advised | null, successor: Successor): string {
  return [`today’s successor is ${successor.model}${compareCosts(advised, successor)}`, ...successor.refuses].join('; ');
}

function describeEnd({ model, endsOn }: ModelEnd, asked: string, daysLeft: number): string {
  const whose = isFineTuned(asked) && model !== asked ? ` with its base ${model}` : '';
  if (daysLeft < 0) return `ended on ${endsOn}${whose}`;
  const left = daysLeft === 0 ? 'today' : `in ${daysLeft} ${daysLeft === 1 ? 'day' : 'days'}`;
  return `ends on ${endsOn} (${left})${whose}`;
}

/** Empty if the successor has no price, or nothing is to be sent. */
function compareCosts(advised: Advised | null, { cost: there }: Successor): string {
  if (advised === null) return '';
  const { priced, cost, hasImages } = advised;
  const [now, then] = [cost[priced], there[priced]];
  if (then === null || then.expectedNanoUsd === 0) return '';
  const instead = now === null ? '' : ` instead of ${formatDollars(now.expectedNanoUsd)}`;
  const images = hasImages ? ', if it counts images the same way' : '';
  return `: this job would cost ${formatDollars(then.expectedNanoUsd)} there${instead}${images}`;
}

const DAY_MS = 86_400_000;

function countDays(from: string, to: string): number {
  return Math.round((Date.parse(to) - Date.parse(from.slice(0, 10))) / DAY_MS);
}
