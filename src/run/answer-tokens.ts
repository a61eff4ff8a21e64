import type { Job } from '../core/job.ts';

/** Without any other knowledge, free text is taken to be this long. */
const FREE_TEXT_TOKENS = 200;
const TOKENS_PER_KEY = 6;

/** Output tokens of a usual answer: the mean of the job's own history, else a guess from the schema; never above the cap. */
export function expectAnswerTokens(job: Job, meanOutputTokens: number | null): number {
  const cap = typeof job.params.max_output_tokens === 'number' ? job.params.max_output_tokens : Number.POSITIVE_INFINITY;
  return Math.min(meanOutputTokens ?? guessFromOutput(job), cap);
}

function guessFromOutput({ output }: Job): number {
  if (output.type === 'text') return FREE_TEXT_TOKENS;
  return output.schema === null ? FREE_TEXT_TOKENS / 2 : guessFromSchema(output.schema);
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
