import { DEFAULT_ORIGIN, hostOfOrigin } from '../../ledger/origin.ts';
import { isOpenAiHost } from '../../money/price-source.ts';
import { findModelEnd, type ModelEnd } from '../../openai/model-ends.ts';
import type { Target } from './target.ts';

/** When a job's model is switched off. */
export interface KnownEnd {
  /** As named in the job, or a line of its table of requests. */
  readonly asked: string;
  readonly end: ModelEnd;
  /** Whether that holds for the provider used: at OpenAI's own addresses, and wherever the address itself reported it. */
  readonly holdsHere: boolean;
}

/**
 * Other servers keep the names of OpenAI's models as long as they like, and so does the simulator.
 * @param told what the address itself reports; null: that no end is announced; undefined: it was not asked, or reports nothing
 */
export function findKnownEnd(model: string, { origin }: Pick<Target, 'origin'>, told: ModelEnd | null | undefined): KnownEnd | null {
  if (told !== undefined) return told && { asked: model, end: told, holdsHere: true };
  const end = findModelEnd(model);
  return end && { asked: model, end, holdsHere: origin === DEFAULT_ORIGIN || isOpenAiHost(hostOfOrigin(origin) ?? '') };
}
