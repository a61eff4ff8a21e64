import type { Answer } from './answer-types.ts';
import { isRecord } from './prompt.ts';

/**
 * Puts the body a real provider sent in place of the simulator's own. It is billed for what it counts itself; where it counts nothing for what the
 * simulator counts, unless it says that it failed: then it is free.
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
