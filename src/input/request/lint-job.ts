import type { Problem } from '../../core/errors.ts';
import type { Job } from '../../core/job.ts';
import { type JobSource, NO_SOURCE, type Path, showPath } from '../../core/problem-path.ts';
import { listAddedColumns } from '../answer/added-columns.ts';
import { findLabelField } from '../answer/label-field.ts';
import { findSchemaDoubts } from '../job/schema-doubts.ts';
import { findExtraProblems } from './extra-params.ts';
import { leavesJsonWordToRows, NO_JSON_WORD } from './json-word.ts';
import { findParamDoubts } from './param-doubts.ts';
import { takesParam } from './params.ts';
import type { CompiledMessage } from './request-body.ts';

/** What the API would refuse for every row, and what would be paid for in vain. */
export function lintJob(
  job: Job,
  source: JobSource,
  messages: readonly CompiledMessage[],
): { readonly problems: readonly Problem[]; readonly warnings: readonly string[] } {
  const problems: Problem[] = [];
  const warnings: string[] = [];
  const isComplete = messages.length === job.messages.length;
  const isConstant = messages.length > 0 && messages.every(({ template }) => template.columns.length === 0);
  if (isComplete && isConstant && leavesJsonWordToRows(job, messages))
    problems.push({ place: source.placeOf(['prompt']), message: `prompt: ${NO_JSON_WORD}` });
  problems.push(...lintEndpoint(job, source));
  problems.push(...findExtraProblems(job).map(({ path, message }) => ({ place: source.placeOf(path), message })));
  for (const { path, message, isCertain } of findParamDoubts(job)) {
    if (isCertain) problems.push({ place: source.placeOf(path), message });
    else warnings.push(message);
  }
  for (const { path, message, isCertain } of findSchemaDoubts(job)) {
    const at = locateInOutput(path, source);
    const told = `${showPath(at)}: ${message}`;
    if (isCertain) problems.push({ place: source.placeOf(at), message: told });
    else warnings.push(told);
  }
  if (job.params.top_logprobs !== undefined && job.params.logprobs !== true && job.confidence === null) {
    problems.push({ place: source.placeOf(['params', 'top_logprobs']), message: 'params.top_logprobs: needs logprobs: true' });
  }
  if (job.votes > 1 && job.params.temperature === 0)
    warnings.push('votes at temperature 0 are mostly one answer repeated; leave the temperature out, or the votes');
  if (messages.length > 0 && job.labels.some(({ description }) => description !== '') && !showsLabels(job))
    warnings.push('the labels have descriptions, and no template shows them to the model: {% for label in labels %} …');
  const untold = isComplete ? listUntoldLabels(job, messages) : [];
  if (untold.length > 0)
    warnings.push(`with output: text the model knows only the labels in the prompt, which does not name ${untold.join(', ')}`);
  return { problems, warnings };
}

/** The place in the job for a path of its schema: fields in shorthand have no `properties` around them. */
function locateInOutput(path: Path, source: JobSource): Path {
  const isShorthand = source !== NO_SOURCE && !source.has(['output', 'properties']);
  return ['output', ...(isShorthand ? path.filter((step) => step !== 'properties') : path)];
}

/** Labels of plain text that the prompt does not name; labels of JSON answers are in the schema. A prompt written by a function cannot be checked. */
function listUntoldLabels(job: Job, messages: readonly CompiledMessage[]): readonly string[] {
  if (job.output.type !== 'text' || messages.length === 0 || showsLabels(job)) return [];
  const texts = messages.map(({ template }) => template.literalText);
  return (job.output.labels ?? []).filter((label) => !texts.some((text) => text.includes(label)));
}

function showsLabels({ messages }: Job): boolean {
  return messages.some(({ content }) => /\blabels\b/.test(content));
}

/** POST /v1/responses refuses a smaller cap (OpenAI's API description, seen 2026-11-21). */
const LEAST_CAP_OF_RESPONSES = 16;

/** What the job's endpoint does not support: the API would refuse every row. */
function lintEndpoint(job: Job, source: JobSource): readonly Problem[] {
  const { endpoint, params, messages } = job;
  const foreign = Object.keys(params).filter((name) => name !== 'extra' && !takesParam(endpoint, name));
  const problems = foreign.map((name) => ({
    place: source.placeOf(['params', name]),
    message: `params.${name}: POST ${endpoint} has no such parameter; leave it out`,
  }));
  if (job.mode === 'flex' && params.service_tier !== undefined) {
    const message = 'params.service_tier: mode: flex sets the tier; leave one of the two out';
    problems.push({ place: source.placeOf(['params', 'service_tier']), message });
  }
  const cap = params.max_output_tokens;
  if (endpoint === '/v1/responses' && typeof cap === 'number' && cap < LEAST_CAP_OF_RESPONSES) {
    const message = `params.max_output_tokens: POST ${endpoint} takes ${LEAST_CAP_OF_RESPONSES} or more, not ${cap}`;
    problems.push({ place: source.placeOf(['params', 'max_output_tokens']), message });
  }
  const isOneText = messages.length === 1 && messages[0]?.role === 'user' && messages[0].images === undefined;
  // A prompt written by a function is checked row by row.
  if (endpoint === '/v1/embeddings' && messages.length > 0 && !isOneText) {
    const message = 'prompt: an embedding is made of one text; write it as prompt: "{{ column }}"';
    problems.push({ place: source.placeOf([source.has(['messages']) ? 'messages' : 'prompt']), message });
  }
  if (job.votes > 1 && endpoint !== '/v1/chat/completions') {
    const message = `votes: POST ${endpoint} gives one answer per request; votes need endpoint: /v1/chat/completions`;
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
