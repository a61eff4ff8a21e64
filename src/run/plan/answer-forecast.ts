import type { Job } from '../../core/job.ts';
import { decideEffort } from '../../input/request/model-params.ts';
import { assumeReasoningTokens } from '../../money/tokens/reasoning-tokens.ts';
import { type AnswerLengths, ENOUGH_ANSWERS } from '../open/answer-history.ts';
import { asksForSame } from './measured-answers.ts';

/** The assumed length of free text without any other knowledge. */
const FREE_TEXT_TOKENS = 200;
const TOKENS_PER_KEY = 6;

/** Expected output tokens of one answer, never above the cap. */
export interface AnswerForecast {
  /** The mean: used for the sum of answers. */
  readonly expectedTokens: number;
  readonly p50Tokens: number;
  readonly p95Tokens: number;
  /** How many of the job's own answers this was measured on; 0: guessed. */
  readonly measuredAnswers: number;
  /** Whether enough were measured to know the length of long answers. */
  readonly isMeasured: boolean;
}

/** The expected length of an answer: as measured, else guessed from the output, with the reasoning assumed for its effort. */
export function forecastAnswer(job: Job, measured: AnswerLengths | null): AnswerForecast {
  const cap = capOf(job);
  const guess = guessFromOutput(job) + guessReasoning(job);
  return {
    expectedTokens: Math.min(measured?.meanTokens ?? guess, cap),
    p50Tokens: Math.min(measured?.p50Tokens ?? Math.round(guess), cap),
    p95Tokens: Math.min(measured?.p95Tokens ?? Math.round(guess * GUESSED_SPREAD), cap),
    measuredAnswers: measured?.answers ?? 0,
    isMeasured: (measured?.answers ?? 0) >= ENOUGH_ANSWERS,
  };
}

/** The same for the job with other parameters, of which its answers may say nothing. */
export function forecastAsked(job: Job, asked: Job, measured: AnswerLengths | null): AnswerForecast {
  return forecastAnswer(asked, asksForSame(job, asked) ? measured : null);
}

/** The reasoning assumed for an answer, all its votes together. */
export function guessReasoning(job: GuessedJob): number {
  if (job.endpoint === '/v1/embeddings') return 0;
  return assumeReasoningTokens(decideEffort(job), guessFromOutput(job) / job.votes) * job.votes;
}

/** What a guess depends on. */
export type GuessedJob = Pick<Job, 'model' | 'params' | 'endpoint' | 'votes' | 'output'>;

/** Of all votes together. */
function capOf({ params, votes }: Job): number {
  return typeof params.max_output_tokens === 'number' ? params.max_output_tokens * votes : Number.POSITIVE_INFINITY;
}

/** How far above a guess the longest answers are assumed to be. */
const GUESSED_SPREAD = 2;

function guessFromOutput({ output, endpoint, votes }: GuessedJob): number {
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
