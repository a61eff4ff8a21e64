import type { Ledger } from '../../ledger/ledger.ts';
import { type CutSize, createCutSize } from '../cut-size.ts';
import { type Admission, createAdmission } from './admission.ts';

/** What the provider's queue of one model holds of ours: its limits are per model, not per account. */
export interface ModelQueue {
  /** In estimated tokens. */
  readonly admission: Admission;
  /** In requests. */
  readonly requestAdmission: Admission;
  readonly cutSize: CutSize;
}

export interface ModelQueues {
  of(model: string): ModelQueue;
  /** Over all of them; the limit is null if one of them is unknown. */
  readonly tokens: { readonly limitTokens: number | null; readonly usedTokens: number };
}

/** @param enqueuedTokens the job's own limit, for each model; a learned one applies if it is lower */
export function createModelQueues({ fold }: Pick<Ledger, 'fold'>, enqueuedTokens: number | null): ModelQueues {
  const queues = new Map<string, ModelQueue>();

  function open(model: string): ModelQueue {
    const learned = fold.learnedLimits.get(model) ?? null;
    const limitTokens = learned === null ? enqueuedTokens : Math.min(learned, enqueuedTokens ?? learned);
    const limitRequests = fold.learnedRequestLimits.get(model) ?? null;
    const cutSize = createCutSize(limitTokens);
    if (limitRequests !== null) cutSize.fitRequestLimit(limitRequests);
    return { admission: createAdmission(limitTokens), requestAdmission: createAdmission(limitRequests), cutSize };
  }

  return {
    of(model) {
      const queue = queues.get(model) ?? open(model);
      queues.set(model, queue);
      return queue;
    },
    get tokens() {
      const admissions = [...queues.values()].map(({ admission }) => admission);
      const limits = admissions.map(({ limit }) => limit);
      const sum = (numbers: readonly (number | null)[]) => numbers.reduce((total: number, number) => total + (number ?? 0), 0);
      return { limitTokens: limits.includes(null) ? null : sum(limits), usedTokens: sum(admissions.map(({ used }) => used)) };
    },
  };
}
