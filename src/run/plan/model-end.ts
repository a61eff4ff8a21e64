import type { ModelEnd } from '../../openai/model-ends.ts';
import { formatDollars } from '../../output/format-numbers.ts';
import type { KnownEnd } from '../open/model-end.ts';
import type { Advised } from './advice.ts';
import { type LaneCosts, priceWork } from './cost.ts';

/** What a model's end means to a job. Field names are a contract (`modelEnd` of `plan --json` and `doctor --json`). */
export interface PlannedEnd {
  /** The job's model. */
  readonly model: string;
  /** `YYYY-MM-DD` (UTC). */
  readonly endsOn: string;
  /** Days from today; 0 on the day itself, negative after it. */
  readonly daysLeft: number;
  /** Null where none is known. */
  readonly successor: Successor | null;
  /** Who said when it ends. */
  readonly source: string;
  /** All of it in one sentence, without a final period. */
  readonly message: string;
}

export interface Successor {
  readonly model: string;
  /** What the planned requests cost there, with as many tokens. */
  readonly cost: LaneCosts;
}

export interface EndOptions extends KnownEnd {
  /** An ISO date or instant. */
  readonly today: string;
}

const UNPRICED: LaneCosts = { batch: null, live: null, flex: null };

/**
 * What it means to a job that its model ends: when, what takes its place, and what the same requests cost there.
 * @param advised null where the job could not be planned
 */
export function foreseeEnd(model: string, { end, today, holdsHere }: EndOptions, advised: Advised | null): PlannedEnd {
  const { endsOn, source } = end;
  const daysLeft = countDays(today, endsOn);
  const successor = end.successor === null ? null : { model: end.successor, cost: priceThere(end.successor, advised) };
  const when = `${model} ${describeEnd(end, model, daysLeft)}${holdsHere ? '' : ' at OpenAI'}`;
  const message = successor === null ? when : `${when}; today’s successor is ${successor.model}${compareCosts(advised, successor)}`;
  return { model, endsOn, daysLeft, successor, source, message };
}

function priceThere(model: string, advised: Advised | null): LaneCosts {
  return advised === null ? UNPRICED : priceWork({ ...advised.prices, model }, advised.work);
}

function describeEnd({ model, endsOn }: ModelEnd, asked: string, daysLeft: number): string {
  const whose = asked.startsWith('ft:') && model !== asked ? ` with its base ${model}` : '';
  if (daysLeft < 0) return `ended on ${endsOn}${whose}`;
  const left = daysLeft === 0 ? 'today' : `in ${daysLeft} ${daysLeft === 1 ? 'day' : 'days'}`;
  return `ends on ${endsOn} (${left})${whose}`;
}

/** Nothing where the successor has no price, or nothing is to be sent. */
function compareCosts(advised: Advised | null, { cost: there }: Successor): string {
  if (advised === null) return '';
  const { priced, cost, hasImages } = advised;
  const [now, then] = [cost[priced], there[priced]];
  if (then === null || then.expectedNanoUsd === 0) return '';
  const instead = now === null ? '' : ` instead of ${formatDollars(now.expectedNanoUsd)}`;
  const images = hasImages ? ', if it counts images alike' : '';
  return `: this job would cost ${formatDollars(then.expectedNanoUsd)} there${instead}${images}`;
}

const DAY_MS = 86_400_000;

function countDays(from: string, to: string): number {
  return Math.round((Date.parse(to) - Date.parse(from.slice(0, 10))) / DAY_MS);
}
