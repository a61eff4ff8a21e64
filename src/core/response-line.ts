import { holdsAnswer, readCompletion } from './answer/answer-body.ts';
import { type Completion, isWireObject, nameForm, type SaidText, saysSomething, type WireObject } from './answer/completion.ts';
import type { ReadPromptControls } from './answer/control-characters.ts';
import { isModelCode, MODEL_REFUSED, QUOTA_CODES, refusesModel } from './answer/refusal-codes.ts';
import { checkParts } from './answer/text-parts.ts';
import { countVotes, type Verdict } from './answer/votes.ts';
import { clip, MAX_MESSAGE_CHARACTERS } from './bounds/clip.ts';
import { ANSWER_BOUNDS, isBeyondBounds } from './bounds/json-size.ts';
import { isCacheRefusal } from './delivery.ts';
import type { Cause, CheckAnswer, Outcome } from './outcome.ts';
import { readBodyUsage, tellsUsage } from './usage.ts';

/**
 * The wire format in which every answer is stored: one line of a Batch API output or error file, snake_case as on the wire.
 * The live lane writes lines of the same form, with an additional `rowmill` field.
 */
export interface ResponseLine {
  readonly id: string;
  readonly custom_id: string;
  readonly response: {
    /** Null if the envelope has none: then the body decides. */
    readonly status_code: number | null;
    readonly request_id: string;
    readonly body: unknown;
  } | null;
  readonly error: unknown;
}

/** A stored line, parsed: either a response line or what is wrong with it. */
export type LineReading =
  | { readonly status: 'line'; readonly line: ResponseLine }
  | { readonly status: 'malformed'; readonly message: string };

/** Parses one stored line. Never throws: a broken line affects no other. */
export function readResponseLine(text: string): LineReading {
  let value: unknown;
  if (isBeyondBounds(text, ANSWER_BOUNDS)) return { status: 'malformed', message: 'it is larger than any answer can be' };
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { status: 'malformed', message: `not one JSON value (${(error as Error).name})` };
  }
  if (!isWireObject(value)) return { status: 'malformed', message: 'not a JSON object' };
  if (typeof value.custom_id !== 'string') return { status: 'malformed', message: 'no custom_id' };
  const response = readEnvelope(value);
  return {
    status: 'line',
    line: {
      id: typeof value.id === 'string' ? value.id : '',
      custom_id: value.custom_id,
      response:
        response === null
          ? null
          : {
              status_code: readStatus(response.status_code),
              request_id: typeof response.request_id === 'string' ? keepRequestId(response.request_id) : '',
              body: response.body,
            },
      error: value.error ?? null,
    },
  };
}

/** An id given by a provider; a longer one is ignored. */
export function keepRequestId(id: string): string {
  return id.length <= MAX_REQUEST_ID_CHARACTERS ? id : '';
}

const MAX_REQUEST_ID_CHARACTERS = 256;

/** The part that holds status and body: usually `response`, also if a gateway made it a string, left it out, or put the body itself there. */
function readEnvelope(line: WireObject): WireObject | null {
  const response = readBody(line.response ?? null);
  if (response === null) return readBody(line.body) === null ? null : line;
  return response.body === undefined && holdsAnswer(response) ? { body: response } : response;
}

/** A status as a number, or as a string that begins with one; null if there is none. */
function readStatus(status: unknown): number | null {
  const number = typeof status === 'string' ? Number.parseInt(status, 10) : status;
  return typeof number === 'number' && Number.isInteger(number) ? number : null;
}

/**
 * The meaning of a response line, in the order of openai-contract sections 7, 10 and 21 (seen 2026-11-29): first whether it was answered at all,
 * then how the answer ended, refusal and filter, and only then the content. A usable body counts whatever is missing from its envelope.
 * @param readPromptControls looks up the control characters in the row's own prompt; absent if they are not known
 */
export function decideOutcome(line: ResponseLine, checkAnswer: CheckAnswer, readPromptControls?: ReadPromptControls): Outcome {
  return keepShort(decide(line, checkAnswer, readPromptControls));
}

function decide(line: ResponseLine, checkAnswer: CheckAnswer, readPromptControls: ReadPromptControls | undefined): Outcome {
  const { response } = line;
  const body = response === null ? null : readBody(response.body);
  const lineError = errorOf(line.error);
  if (lineError !== null) return notAnswered(lineError, response?.status_code ?? null, body);
  if (response === null) return lostAnswer('the line holds neither a response nor an error');
  const bodyError = errorOf(body?.error) ?? (body?.object === 'error' ? errorOf(body) : null);
  // 0 is not an HTTP status: requests lost inside the provider have it, and no body.
  const status = response.status_code === 0 && body !== null && holdsAnswer(body) ? null : response.status_code;
  if (body === null && (status === null || isSuccess(status))) return lostAnswer(`status ${status ?? 'missing'}, without a body`);
  if (body === null || bodyError !== null || (status === null ? !holdsAnswer(body) : !isSuccess(status))) {
    return notAnswered(bodyError ?? { code: null, message: `status ${response.status_code ?? 'missing'}` }, status, body);
  }
  return decideAnswered(body, checkAnswer, readPromptControls);
}

/** The part of an answer that appears in messages, tables and reports: the answer itself is stored as received. */
function keepShort(outcome: Outcome): Outcome {
  const { message, code, model, tier } = outcome;
  const isShort = message.length <= MAX_MESSAGE_CHARACTERS && (code?.length ?? 0) <= MAX_NAME_CHARACTERS;
  if (isShort && (model?.length ?? 0) <= MAX_NAME_CHARACTERS && (tier?.length ?? 0) <= MAX_NAME_CHARACTERS) return outcome;
  const shorten = (name: string | null) => (name === null ? null : clip(name, MAX_NAME_CHARACTERS));
  return { ...outcome, message: clip(message, MAX_MESSAGE_CHARACTERS), code: shorten(code), model: shorten(model), tier: shorten(tier) };
}

/** No code, model or tier has a longer name. */
const MAX_NAME_CHARACTERS = 200;

/** Interprets a line for one job, whose rows and rules it knows. */
export type DecideLine = (line: ResponseLine) => Outcome;

/** An object, also if the envelope holds it as a string. */
function readBody(body: unknown): WireObject | null {
  if (typeof body !== 'string') return isWireObject(body) ? body : null;
  try {
    const value: unknown = JSON.parse(body);
    return isWireObject(value) ? value : null;
  } catch {
    return null;
  }
}

/** Judges an answer that was given, and therefore billed. */
function decideAnswered(body: WireObject, checkAnswer: CheckAnswer, readPromptControls: ReadPromptControls | undefined): Outcome {
  const completions = readCompletion(body);
  const { ballot } = checkAnswer;
  const judge = (completion: Completion) => judgeCompletion(completion, checkAnswer, readPromptControls);
  if (ballot === undefined) return answered(body, judge(completions[0]));
  const [first, ...others] = pickVotes(completions, body, ballot.votes).map(judge);
  return answered(body, countVotes([first as Verdict, ...others], ballot));
}

/** If there are more choices than requested, one for each index: a repeated choice is not a second vote. */
function pickVotes(completions: readonly Completion[], { choices }: WireObject, votes: number): readonly Completion[] {
  if (completions.length <= votes) return completions;
  const indexes = (choices as readonly unknown[]).map((choice) => (isWireObject(choice) ? choice.index : undefined));
  return completions.filter((_completion, position) => indexes.indexOf(indexes[position]) === position).slice(0, votes);
}

function judgeCompletion(completion: Completion, checkAnswer: CheckAnswer, readPromptControls: ReadPromptControls | undefined): Verdict {
  switch (completion.status) {
    case 'text':
      if (checkAnswer.takesVectors === true)
        return { status: 'invalid', message: NO_VECTOR, value: undefined, text: null, isUnreadable: true, isUnmarked: false };
      return judgeText(completion, checkAnswer, readPromptControls);
    case 'vector':
      if (checkAnswer.takesVectors === true) return { ...READABLE, status: 'ok', message: '', value: completion.vector, text: null };
      return {
        ...READABLE,
        status: 'invalid',
        message: 'the answer is a vector, not a text',
        value: undefined,
        text: null,
        isUnreadable: true,
      };
    default:
      return { ...READABLE, ...completion, value: undefined };
  }
}

const NO_VECTOR = 'the answer is a text, not a vector';
const READABLE = { isUnreadable: false, isUnmarked: false };

function judgeText(said: SaidText, checkAnswer: CheckAnswer, readPromptControls: ReadPromptControls | undefined): Verdict {
  const { text, checked } = checkParts(said.parts, checkAnswer, readPromptControls);
  if (!checked.ok) return { ...READABLE, status: 'invalid', message: checked.message, value: undefined, text };
  const { value, note = '', written } = checked;
  const verdict: Verdict = { status: 'ok', message: note, value, text, isUnreadable: false, isUnmarked: !said.isMarkedFinished };
  return written === undefined ? verdict : { ...verdict, written };
}

function answered(body: WireObject, { status, message, value, written, text, isUnreadable, isUnmarked }: Verdict): Outcome {
  const usage = readBodyUsage(body);
  const hasFailed = status === 'server_error' || status === 'cancelled';
  const outcome: Outcome = {
    status,
    message,
    code: null,
    isBilled: !hasFailed || isWorkTold(body),
    usage,
    model: typeof body.model === 'string' ? body.model : null,
    tier: typeof body.service_tier === 'string' ? body.service_tier : null,
    createdSeconds: createdOf(body.created) ?? createdOf(body.created_at),
    value,
    answerText: text,
    isUnreadable,
    isUnmarked,
  };
  return written === undefined ? outcome : { ...outcome, written };
}

/** `created` of a chat completion, `created_at` of a response; an embedding has no time. */
function createdOf(value: unknown): number | null {
  return Number.isFinite(value) ? (value as number) : null;
}

/** A failure is not billed, unless the provider reports usage for it. */
function isWorkTold(body: WireObject): boolean {
  return tellsUsage(body.usage);
}

/** Statuses that are usually about the key or the address, and sometimes about something named in one row. */
const REFUSES_ADDRESS: ReadonlySet<number> = new Set([401, 403, 404, 405]);

/** No error is told, and the answer is not there: nobody can see whether the call was made. */
function lostAnswer(message: string): Outcome {
  return { ...notAnswered({ code: null, message }, null, null), status: 'unknown' };
}

function isSuccess(status: number): boolean {
  return status >= 200 && status <= 299;
}

function notAnswered(told: WireError, statusCode: number | null, body: WireObject | null): Outcome {
  const error = refusesModel(told, statusCode) && !isModelCode(told.code) ? { ...told, code: MODEL_REFUSED } : told;
  const cause = causeOf(error, statusCode);
  return {
    status: cause,
    message: error.code === null ? error.message : `${error.code}: ${error.message}`,
    code: error.code,
    isBilled: body !== null && isWorkTold(body),
    usage: body === null ? null : readBodyUsage(body),
    model: typeof body?.model === 'string' ? body.model : null,
    tier: typeof body?.service_tier === 'string' ? body.service_tier : null,
    createdSeconds: null,
    value: undefined,
    answerText: null,
    isUnreadable: cause === 'bad_request' && statusCode !== null && REFUSES_ADDRESS.has(statusCode),
    isUnmarked: false,
  };
}

function causeOf(error: WireError, status: number | null): Cause {
  const { code, message } = error;
  if (code === 'batch_expired') return 'expired';
  if (code === 'batch_cancelled') return 'cancelled';
  // Azure refuses a prompt that its filter rejects; the row would be refused again (seen 2026-11-21).
  if (code === 'content_filter') return 'filtered';
  // The account or the model is refused, not the row: it waits, and the run stops (rate-wait).
  if (code !== null && (QUOTA_CODES.has(code) || isModelCode(code))) return 'rate_limited';
  // The model's own JSON was invalid, which Groq reports as an error of the request (seen 2026-11-29): asking again may help.
  if (code === 'json_validate_failed') return 'invalid';
  const hasSucceeded = status !== null && isSuccess(status);
  // A failed response arrives with status 200: if its prompt is at fault, it stays so.
  if (hasSucceeded && code?.startsWith('invalid_')) return 'bad_request';
  // Some gateways put the upstream status into the error, with status 200 of their own (OpenRouter, seen 2026-11-29).
  const statusCode = hasSucceeded && code !== null && /^[45]\d\d$/.test(code) ? Number(code) : status;
  // With status 200 nothing has waited: it is retried with the back-off of a fault, and not forever.
  if (hasSucceeded && statusCode === 429) return 'server_error';
  // A request larger than the limit of a minute is refused with the same code as one that is too early, but waiting does not help.
  if (statusCode === 429) return message.startsWith('Request too large') ? 'bad_request' : 'rate_limited';
  if ((statusCode === 400 || statusCode === 422) && isCacheRefusal(error)) return 'undelivered';
  if (statusCode === 408) return 'timeout';
  if (statusCode === null || statusCode < 400 || statusCode === 409 || statusCode >= 500) return 'server_error';
  return 'bad_request';
}

/** As JSON; a list nested deeper than the stack allows only by its name. */
function showList(list: readonly unknown[]): string {
  try {
    return JSON.stringify(list);
  } catch {
    return nameForm(list);
  }
}

interface WireError {
  readonly code: string | null;
  readonly message: string;
  readonly type?: unknown;
  readonly param?: unknown;
}

/** An error as it may appear in a line: an object, a plain string (vLLM), or nothing: null, "", an object without content. */
function errorOf(value: unknown): WireError | null {
  if (!saysSomething(value)) return null;
  if (typeof value === 'string') return { code: null, message: value };
  if (!isWireObject(value)) return { code: null, message: Array.isArray(value) ? showList(value) : String(value) };
  return {
    code: typeof value.code === 'string' || typeof value.code === 'number' ? String(value.code) : null,
    message: typeof value.message === 'string' ? value.message : 'the provider gave no message',
    type: value.type,
    param: value.param,
  };
}
