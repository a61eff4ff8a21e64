import type { FileHandle } from 'node:fs/promises';
import { isRecord, readPrompt } from '../answers/prompt.ts';
import { countPromptTokens } from '../answers/usage.ts';
import { findModelRules } from '../model-rules.ts';
import type { SimulatorLimits } from '../options.ts';
import type { BatchError } from '../wire-objects.ts';
import { type LineIndex, readLines } from './batch-lines.ts';

const REQUIRED = ['custom_id', 'method', 'url', 'body'] as const;
const LINES_PER_TURN = 200;

/** What validation found out about an input file. */
export interface ValidatedInput {
  readonly errors: readonly BatchError[];
  readonly index: LineIndex;
  /** The one model of the file; null if there is none. */
  readonly model: string | null;
  /** Prompt tokens of all lines by the simulator's own count; 0 if not requested. */
  readonly promptTokens: number;
}

/** Reads an input file once and finds every bad line. `countsTokens` is needed only with a queue limit. */
export async function validateInput(
  file: FileHandle,
  {
    endpoint,
    limits,
    countsTokens,
    refusesCacheOptions,
  }: {
    readonly endpoint: string;
    readonly limits: SimulatorLimits;
    readonly countsTokens: (model: string) => boolean;
    readonly refusesCacheOptions: boolean;
  },
): Promise<ValidatedInput> {
  const errors: BatchError[] = [];
  const customIds = new Set<string>();
  const offsets: number[] = [];
  let blank: number[] = [];
  let endOffset = 0;
  let model: string | null = null;
  let promptTokens = 0;
  for await (const { text, number, offset, end } of readLines(file)) {
    if (number % LINES_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
    endOffset = end;
    if (text.trim() === '') {
      blank.push(number);
      continue;
    }
    // Blank lines are allowed only at the end of the file.
    for (const line of blank) errors.push(unparseable(line));
    blank = [];
    offsets.push(offset);
    if (offsets.length > limits.requestsPerBatch) continue;
    const line = parseLine(text);
    const problem =
      line === undefined ? unparseable(number) : (findProblem(line, number, endpoint) ?? checkUnique(line.custom_id, customIds, number));
    const lineModel = isRecord(line?.body) ? line.body.model : undefined;
    if (problem === undefined && typeof lineModel === 'string') {
      model ??= lineModel;
      if (lineModel !== model) errors.push(mismatch(lineModel, model, number));
      if (countsTokens(model)) promptTokens += countPromptTokens(readPrompt(line?.body as Readonly<Record<string, unknown>>));
    }
    if (problem !== undefined) errors.push(problem);
    if (refusesCacheOptions && isRecord(line?.body) && line.body.prompt_cache_options !== undefined) errors.push(cacheOptions(number));
  }
  if (offsets.length > limits.requestsPerBatch) errors.unshift(tooMany(limits.requestsPerBatch));
  if (offsets.length === 0) errors.push(empty());
  return { errors, index: { offsets: Float64Array.from([...offsets, endOffset]), count: offsets.length }, model, promptTokens };
}

function parseLine(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const line: unknown = JSON.parse(text);
    return isRecord(line) ? line : undefined;
  } catch {
    return undefined;
  }
}

/** The first problem of a line, in the words of the API (seen in integration tests of llama-stack, 2025-08). */
function findProblem(line: Readonly<Record<string, unknown>>, number: number, endpoint: string): BatchError | undefined {
  for (const param of REQUIRED) {
    if (line[param] === undefined || line[param] === null)
      return { code: 'missing_required_parameter', message: `Missing required parameter: '${param}'.`, param, line: number };
  }
  const { custom_id: customId, url, body } = line;
  if (typeof customId !== 'string') return invalidRequest("Invalid type for 'custom_id': expected a string.", 'custom_id', number);
  if (line.method !== 'POST')
    return { code: 'invalid_method', message: 'Only POST requests are supported by the Batch API.', param: 'method', line: number };
  if (url !== endpoint)
    return {
      code: 'invalid_url',
      message: 'The URL provided for this request does not match the batch endpoint.',
      param: 'url',
      line: number,
    };
  if (!isRecord(body)) return invalidRequest('Body parameter must be an object.', 'body', number);
  if (typeof body.model !== 'string' || body.model === '') return invalidRequest('Model parameter is required.', 'body.model', number);
  const content = endpoint === '/v1/chat/completions' ? 'messages' : 'input';
  if (body[content] === undefined)
    return invalidRequest(`${content === 'messages' ? 'Messages' : 'Input'} parameter is required.`, `body.${content}`, number);
  const rules = findModelRules(body.model);
  if (rules === undefined || (rules.kind === 'embedding') !== (endpoint === '/v1/embeddings')) {
    const message = `The provided model '${body.model}' is not supported by the Batch API.`;
    return { code: 'model_not_found', message, param: 'body.model', line: number };
  }
  if (body.stream !== true) return undefined;
  const name = endpoint === '/v1/responses' ? 'Responses' : 'Chat Completions';
  return {
    code: 'streaming_unsupported',
    message: `${name}: Streaming is not supported in the Batch API.`,
    param: 'body.stream',
    line: number,
  };
}

function checkUnique(customId: unknown, seen: Set<string>, line: number): BatchError | undefined {
  const id = String(customId);
  if (!seen.has(id)) {
    seen.add(id);
    return undefined;
  }
  const message = `The custom_id '${id}' for this request is a duplicate of another request. The custom_id parameter must be unique for each request in a batch.`;
  return { code: 'duplicate_custom_id', message, param: 'custom_id', line };
}

function mismatch(found: string, expected: string, line: number): BatchError {
  const message = `The model '${found}' does not match the model '${expected}' of the other requests. All requests of a batch must use one model.`;
  return { code: 'mismatched_model', message, param: 'body.model', line };
}

function unparseable(line: number): BatchError {
  return { code: 'invalid_json_line', message: 'This line is not parseable as valid JSON.', param: null, line };
}

function cacheOptions(line: number): BatchError {
  const param = 'body.prompt_cache_options';
  return { code: 'unknown_parameter', message: "Unknown parameter: 'prompt_cache_options'.", param, line };
}

function tooMany(most: number): BatchError {
  const message = `The number of requests in the input file exceeds the maximum of ${most} requests per batch.`;
  return { code: 'too_many_tasks', message, param: null, line: null };
}

function empty(): BatchError {
  const message = 'The input file is empty. Please ensure that the batch contains at least one request.';
  return { code: 'empty_file', message, param: null, line: null };
}

function invalidRequest(message: string, param: string, line: number): BatchError {
  return { code: 'invalid_request', message, param, line };
}
