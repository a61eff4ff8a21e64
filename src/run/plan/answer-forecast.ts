import type { Job } from '../../core/job.ts';
import { type AnswerLengths, ENOUGH_ANSWERS } from '../open/answer-history.ts';

/** The assumed length of free text without any other knowledge. */
const FREE_TEXT_TOKENS = 200;
const TOKENS_PER_KEY = 6;

/** Expected output tokens of one answer, never above the cap. */
export interface AnswerForecast {
  /** The mean: used for the sum of answers. */
  readonly expectedTokens: number;
  readonly p50Tokens: number;
  readonly p95Tokens: number;
  /** How many of the job's own answers this was measured on; 0: guessed from the output's schema, or 200 for free text. */
  readonly measuredAnswers: number;
  /** Whether enough were measured to know the length of long answers. */
  readonly isMeasured: boolean;
}

/** The expected length of an answer: from the job's own history, else guessed from the schema. */
export function forecastAnswer(job: Job, history: AnswerLengths | null): AnswerForecast {
  const cap = capOf(job);
  const guess = guessFromOutput(job);
  return {
    expectedTokens: expectAnswerTokens(job, history?.meanTokens ?? null),
    p50Tokens: Math.min(history?.p50Tokens ?? Math.round(guess), cap),
    p95Tokens: Math.min(history?.p95Tokens ?? Math.round(guess * GUESSED_SPREAD), cap),
    measuredAnswers: history?.answers ?? 0,
    isMeasured: (history?.answers ?? 0) >= ENOUGH_ANSWERS,
  };
}

/** Output tokens of a typical answer: the mean of existing answers, else a guess. */
export function expectAnswerTokens(job: Job, meanOutputTokens: number | null): number {
  return Math.min(meanOutputTokens ?? guessFromOutput(job), capOf(job));
}

/** Of all votes together. */
function capOf({ params, votes }: Job): number {
  return typeof params.max_output_tokens === 'number' ? params.max_output_tokens * votes : Number.POSITIVE_INFINITY;
}

/** How far above a guess the longest answers are assumed to be. */
const GUESSED_SPREAD = 2;

function guessFromOutput({ output, endpoint, votes }: Job): number {
  if (endpoint === '/v1/embeddings') return 0;
  if (output.type === 'text') return (output.labels === undefined ? FREE_TEXT_TOKENS : guessFromSchema({ enum: output.labels })) * votes;
  return (output.schema === null ? FREE_TEXT_TOKENS / 2 : guessFromSchema(output.schema)) * votes;
}

function guessFromSchema(schema: Readonly<Record<string, unknown>>): number {
  if (Array.isArray(schema.enum)) return 2 + Math.max(...schema.enum.map((value) => String(value).length)) / 4;
  if (typeof schema.properties === 'object' && schema.properties !== null) {
    const values = Object.values(schema.properties as Record<string, Record<string, unknown>>);
    return 2 + values.reduce((sum, value) => sum + TOKENS_PER_KEY + guessFromSchema(value), 0);
  }
  if (typeof schema.items === 'object' && schema.items !== null) return 2 + 3 * guessFromSchema(schema.items as Record<string, unknown>);
  const types = ([] as unknown[]).concat(schema.type ?? 'string');
  return types.includes('string') ? 30 : 3;
}
