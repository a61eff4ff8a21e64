import { type Completion, readCompletion } from './answer-body.ts';
import type { Cause, CheckAnswer, Checked, Outcome } from './outcome.ts';
import { readUsage } from './usage.ts';
import { countVotes, type Verdict } from './votes.ts';

/**
 * The wire form in which an attempt's answer is stored: one line of a Batch API output or error file, snake_case as on the wire.
 * The live lane writes lines of the same shape, with a `rowmill` field of its own.
 */
export interface ResponseLine {
  readonly id: string;
  readonly custom_id: string;
  readonly response: { readonly status_code: number; readonly request_id: string; readonly body: unknown } | null;
  readonly error: unknown;
}

/** A stored line, read: either a response line or what is wrong with it. */
export type LineReading =
  | { readonly status: 'line'; readonly line: ResponseLine }
  | { readonly status: 'malformed'; readonly message: string };

/** Reads one stored line. Never throws: a broken line costs only itself. */
export function readResponseLine(text: string): LineReading {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { status: 'malformed', message: `not one JSON value (${(error as Error).name})` };
  }
  if (!isObject(value)) return { status: 'malformed', message: 'not a JSON object' };
  if (typeof value.custom_id !== 'string') return { status: 'malformed', message: 'no custom_id' };
  const response = isObject(value.response)
    ? {
        status_code: typeof value.response.status_code === 'number' ? value.response.status_code : 0,
        request_id: typeof value.response.request_id === 'string' ? value.response.request_id : '',
        body: value.response.body,
      }
    : null;
  return {
    status: 'line',
    line: { id: typeof value.id === 'string' ? value.id : '', custom_id: value.custom_id, response, error: value.error ?? null },
  };
}

/**
 * What a response line means, by the order of openai-contract sections 7 and 10 (seen 2026-11-21): first whether it was answered at all,
 * then finish reason, refusal and filter, and only then the content.
 */
export function decideOutcome(line: ResponseLine, checkAnswer: CheckAnswer): Outcome {
  const { response } = line;
  const body = response !== null && isObject(response.body) ? response.body : null;
  const lineError = errorOf(line.error);
  if (lineError !== null) return notAnswered(lineError, response?.status_code ?? null, body);
  if (response === null) return notAnswered({ code: null, message: 'the line holds neither a response nor an error' }, null, body);
  if (response.status_code < 200 || response.status_code > 299 || body === null || isPresent(body.error)) {
    return notAnswered(errorOf(body?.error) ?? { code: null, message: `status ${response.status_code}` }, response.status_code, body);
  }
  return decideAnswered(body, checkAnswer);
}

/** Judges an answer that was given, and therefore billed. */
function decideAnswered(body: Record<string, unknown>, checkAnswer: CheckAnswer): Outcome {
  const completion = readCompletion(body);
  const { ballot } = checkAnswer;
  if (ballot === undefined) return answered(body, judge(completion[0], checkAnswer));
  const [first, ...others] = completion.map((one) => judge(one, checkAnswer));
  return answered(body, countVotes([first as Verdict, ...others], ballot));
}

function judge(completion: Completion, checkAnswer: CheckAnswer): Verdict {
  switch (completion.status) {
    case 'text':
      return checkParts(completion, checkAnswer);
    case 'vector':
      if (checkAnswer.takesVectors === true) return { status: 'ok', message: '', value: completion.vector, text: null };
      return { status: 'invalid', message: 'the answer is a vector, not a text', value: undefined, text: null };
    default:
      return { ...completion, value: undefined };
  }
}

/**
 * The parts of a text are one answer, unless only one of them is: some models begin an answer, leave it, and give it whole in a later part
 * (openai-contract section 10, seen 2026-11-21).
 */
function checkParts({ texts, logprobs }: Extract<Completion, { status: 'text' }>, checkAnswer: CheckAnswer): Verdict {
  const text = texts.length === 1 ? (texts[0] as string) : texts.join('');
  const good = texts.length === 1 ? checkAnswer(text, logprobs) : chooseCheck([text, ...texts].map((part) => checkAnswer(part, logprobs)));
  if (good.ok) return { status: 'ok', message: good.note ?? '', value: good.value, text };
  return { status: 'invalid', message: good.message, value: undefined, text };
}

function chooseCheck(checks: readonly Checked[]): Checked {
  return checks.find((check) => check.ok && check.note === undefined) ?? checks.find(({ ok }) => ok) ?? (checks[0] as Checked);
}

function answered(body: Record<string, unknown>, { status, message, value, text }: Verdict): Outcome {
  return {
    status,
    message,
    code: null,
    isBilled: true,
    usage: readUsage(body.usage),
    model: typeof body.model === 'string' ? body.model : null,
    tier: typeof body.service_tier === 'string' ? body.service_tier : null,
    createdSeconds: createdOf(body.created) ?? createdOf(body.created_at),
    value,
    answerText: text,
  };
}

/** `created` of a chat completion, `created_at` of a response; an embedding names no time. */
function createdOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

function notAnswered(error: WireError, statusCode: number | null, body: Record<string, unknown> | null): Outcome {
  const usage = body === null ? null : readUsage(body.usage);
  return {
    status: causeOf(error, statusCode),
    message: error.code === null ? error.message : `${error.code}: ${error.message}`,
    code: error.code,
    // A failed line is not billed, unless the provider reports usage on it.
    isBilled: usage !== null && usage.inputTokens + usage.outputTokens > 0,
    usage,
    model: typeof body?.model === 'string' ? body.model : null,
    tier: typeof body?.service_tier === 'string' ? body.service_tier : null,
    createdSeconds: null,
    value: undefined,
    answerText: null,
  };
}

function causeOf({ code, message }: WireError, statusCode: number | null): Cause {
  if (code === 'batch_expired') return 'expired';
  if (code === 'batch_cancelled') return 'cancelled';
  // Azure refuses a prompt its filter objects to; the row will be refused again (seen 2026-11-21).
  if (code === 'content_filter') return 'filtered';
  // A response that failed comes under status 200: what is wrong with its prompt stays wrong.
  if (statusCode === 200 && code !== null && code.startsWith('invalid_')) return 'bad_request';
  // A request larger than the limit of a minute is refused by the same code as one that comes too early, but no wait helps it.
  if (statusCode === 429) return message.startsWith('Request too large') ? 'bad_request' : 'rate_limited';
  if (statusCode === 408) return 'timeout';
  if (statusCode === null || statusCode < 400 || statusCode === 409 || statusCode >= 500) return 'server_error';
  return 'bad_request';
}

/** Codes of a 429 that mean the account has no money left: the run stops, the row does not fail. */
export const QUOTA_CODES: ReadonlySet<string> = new Set(['insufficient_quota', 'billing_hard_limit_reached', 'billing_not_active']);

interface WireError {
  readonly code: string | null;
  readonly message: string;
}

/** An error as it may stand in a line: an object, a plain string (vLLM), or nothing (null, undefined, ""). */
function errorOf(value: unknown): WireError | null {
  if (!isPresent(value)) return null;
  if (typeof value === 'string') return { code: null, message: value };
  if (!isObject(value)) return { code: null, message: JSON.stringify(value) };
  return {
    code: typeof value.code === 'string' ? value.code : null,
    message: typeof value.message === 'string' ? value.message : 'the provider gave no message',
  };
}

function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
