import type { Job } from '../../core/job.ts';
import type { CompiledMessage } from './request-body.ts';

/** Why a row whose prompt lacks the word is not sent (openai-contract section 10, seen 2026-11-21). */
export const NO_JSON_WORD = 'JSON mode needs the word JSON in the prompt; the API refuses every row without it';

/** Whether the API requires the word JSON, in any case, in a message of each request. */
export function needsJsonWord({ output }: Pick<Job, 'output'>): boolean {
  return output.type === 'json' && output.format === 'json_object';
}

export function saysJson(text: string): boolean {
  return /json/i.test(text);
}

/** Whether a template contains the word whatever the row is. One with logic may leave parts out: only rendered rows show it. */
export function alwaysSaysJson({ template: { pieces } }: Pick<CompiledMessage, 'template'>): boolean {
  return pieces?.some((piece) => typeof piece === 'string' && saysJson(piece)) ?? false;
}

/** Whether only rendered rows show if the prompts of a job contain what JSON mode requires. */
export function leavesJsonWordToRows(job: Pick<Job, 'output'>, messages: readonly Pick<CompiledMessage, 'template'>[]): boolean {
  return needsJsonWord(job) && !messages.some(alwaysSaysJson);
}
