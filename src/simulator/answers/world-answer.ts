import type { Answer } from './answer-types.ts';
import { isRecord } from './prompt.ts';

/**
 * Replaces the simulator's body by one that a real provider sent. It is billed for its own usage; without one for the simulator's,
 * unless it reports a failure: then it is free.
 */
export function makeWorldAnswer(own: Answer, body: Readonly<Record<string, unknown>>): Answer {
  const { usage, error, choices, model } = body;
  const counts = isRecord(usage) && Object.values(usage).some((count) => typeof count === 'number' && count > 0);
  const hasFailed = isRecord(error) || (Array.isArray(choices) && choices.some((choice) => isRecord(choice) && isRecord(choice.error)));
  return {
    ...own,
    body,
    usage: counts ? usage : own.usage,
    model: typeof model === 'string' ? model : own.model,
    isFree: hasFailed && !counts,
  };
}
