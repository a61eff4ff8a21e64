import type { Problem } from '../core/errors.ts';
import type { Job } from '../core/job.ts';
import type { JobSource } from '../core/problem-path.ts';
import { listAddedColumns } from './answer/added-columns.ts';
import { findLabelField } from './answer/label-field.ts';
import { takesParam } from './request/params.ts';

/** POST /v1/responses refuses a smaller cap (OpenAI's API description, seen 2026-11-21). */
const LEAST_CAP_OF_RESPONSES = 16;

/** What the job's endpoint does not take: the API would refuse every row. */
export function lintEndpoint(job: Job, source: JobSource): readonly Problem[] {
  const { endpoint, params, messages } = job;
  const foreign = Object.keys(params).filter((name) => !takesParam(endpoint, name));
  const problems = foreign.map((name) => ({
    place: source.placeOf(['params', name]),
    message: `params.${name}: POST ${endpoint} has no such parameter; leave it out`,
  }));
  const cap = params.max_output_tokens;
  if (endpoint === '/v1/responses' && typeof cap === 'number' && cap < LEAST_CAP_OF_RESPONSES) {
    const message = `params.max_output_tokens: POST ${endpoint} takes ${LEAST_CAP_OF_RESPONSES} or more, not ${cap}`;
    problems.push({ place: source.placeOf(['params', 'max_output_tokens']), message });
  }
  const isOneText = messages.length === 1 && messages[0]?.role === 'user' && messages[0].images === undefined;
  // A prompt that a function writes is looked at row by row.
  if (endpoint === '/v1/embeddings' && messages.length > 0 && !isOneText) {
    const message = 'prompt: an embedding is made of one text; write it as prompt: "{{ column }}"';
    problems.push({ place: source.placeOf([source.has(['messages']) ? 'messages' : 'prompt']), message });
  }
  if (job.votes > 1 && endpoint !== '/v1/chat/completions') {
    const message = `votes: POST ${endpoint} gives one answer a request; votes need endpoint: /v1/chat/completions`;
    problems.push({ place: source.placeOf(['votes']), message });
  }
  if (endpoint === '/v1/embeddings' && job.examples !== null)
    problems.push({ place: source.placeOf(['examples']), message: 'examples: an embedding is made of one text' });
  return [...problems, ...lintConfidence(job, source), ...lintAddedColumns(job, source)];
}

function lintConfidence({ confidence, endpoint, output }: Job, source: JobSource): readonly Problem[] {
  if (confidence === null) return [];
  const place = source.placeOf(['confidence']);
  if (endpoint === '/v1/embeddings') return [{ place, message: 'confidence: a vector has no probability' }];
  if (output.type === 'text' || findLabelField(output) !== null) return [];
  return [{ place, message: 'confidence: needs one field with labels in the output, or output: text' }];
}

function lintAddedColumns(job: Job, source: JobSource): readonly Problem[] {
  const columns = job.output.type === 'json' ? job.output.columns : [];
  const taken = listAddedColumns(job).filter((name) => columns.includes(name));
  return taken.map((name) => ({
    place: source.placeOf(['output', name]),
    message: `output.${name}: is a column rowmill adds itself; name the field otherwise`,
  }));
}
