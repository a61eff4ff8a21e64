import type { Job } from '../../core/job.ts';
import { roundShare } from './added-columns.ts';
import { findLabelField } from './label-field.ts';
import { findValueSpan, type Span } from './value-span.ts';

/** The probability a model gave to a part of its answer, 0 to 1; null if the endpoint returned none that match the text. */
export type ReadConfidence = (text: string, logprobs: unknown) => number | null;

/**
 * Compiles how the confidence of a job's answers is read: the product of the probabilities of the tokens of the label (for a list, of all
 * labels), or of the whole text. Tokens that overlap the label count; quotes and spaces around it do not.
 */
export function compileConfidence({ output }: Pick<Job, 'output'>): ReadConfidence {
  const field = findLabelField(output);
  const isLabel = output.type === 'text' && output.labels !== undefined;
  return (text, logprobs) => {
    const whole = isLabel ? trimSpan(text) : { start: 0, end: text.length };
    const span = field === null ? whole : findLabelSpan(text, field);
    return span === null ? null : readProbability(text, span, logprobs);
  };
}

function trimSpan(text: string): Span {
  return { start: text.length - text.trimStart().length, end: text.trimEnd().length };
}

function findLabelSpan(text: string, field: string): Span | null {
  const span = findValueSpan(text, field);
  if (span === null || text[span.start] !== '"') return span;
  return { start: span.start + 1, end: span.end - 1 };
}

/** Tokens are measured in bytes: one may hold only a part of a character. */
function readProbability(text: string, span: Span, logprobs: unknown): number | null {
  if (!Array.isArray(logprobs) || logprobs.length === 0) return null;
  const start = Buffer.byteLength(text.slice(0, span.start));
  const end = start + Buffer.byteLength(text.slice(span.start, span.end));
  let offset = 0;
  let sum = 0;
  for (const { token, bytes, logprob } of logprobs as readonly { token?: unknown; bytes?: unknown; logprob?: unknown }[]) {
    const length = Array.isArray(bytes) ? bytes.length : Buffer.byteLength(String(token));
    if (offset < end && offset + length > start) {
      if (typeof logprob !== 'number') return null;
      sum += logprob;
    }
    offset += length;
  }
  return offset === Buffer.byteLength(text) ? roundShare(Math.min(1, Math.exp(sum))) : null;
}
