import { hash } from 'node:crypto';
import { isWireObject, saysSomething, type WireObject } from '../../core/answer/completion.ts';
import type { Outcome } from '../../core/outcome.ts';
import { parseCustomId } from '../../core/request.ts';
import { decideOutcome, type ResponseLine, readResponseLine } from '../../core/response-line.ts';

/** Its cost does not depend on the content of the answer. */
const takeAnything = () => ({ ok: true as const, value: null });

/**
 * What is kept of a response line when its answer is removed: its request, its model, its time, and its usage. No word of prompt or
 * answer remains, and its cost stays the same.
 * @param text the line without its newline; of a broken one only its position remains
 * @param name the custom id it gets; absent: its own, if it is one of ours
 */
export function stripLine(text: string, name?: string): string {
  const reading = readResponseLine(text);
  if (reading.status === 'malformed') return '{}';
  const { line } = reading;
  // Lines without an id are distinguished by their bytes.
  const mark = line.id === '' ? { rowmill: { was: hash('sha256', text, 'hex').slice(0, 16) } } : {};
  const customId = name ?? (parseCustomId(line.custom_id) === null ? 'foreign' : line.custom_id);
  return JSON.stringify({ id: line.id, ...mark, custom_id: customId, ...stripAnswer(line) });
}

function stripAnswer(line: ResponseLine): Pick<ResponseLine, 'response' | 'error'> {
  const outcome = decideOutcome(line, takeAnything);
  const body = readBody(line.response?.body);
  const told = [line.error, body?.error].find(saysSomething);
  const error = told === undefined && outcome.isBilled ? null : { code: codeOf(told), message: shorten(outcome.message) };
  if (line.response === null) return { response: null, error };
  const kept = outcome.isBilled && body !== null ? { ...makeBody(outcome), ...makeForm(body) } : null;
  return { response: { status_code: line.response.status_code, request_id: '', body: kept }, error };
}

/** A body with the same usage, model and time. */
function makeBody({ usage, model, tier, createdSeconds }: Outcome): WireObject {
  const counts =
    usage === null
      ? UNKNOWN_USAGE
      : {
          prompt_tokens: usage.inputTokens,
          completion_tokens: usage.outputTokens,
          total_tokens: usage.inputTokens + usage.outputTokens,
          prompt_tokens_details: { cached_tokens: usage.cachedInputTokens, cache_write_tokens: usage.cacheWriteTokens },
          completion_tokens_details: { reasoning_tokens: usage.reasoningTokens },
        };
  return {
    ...(createdSeconds === null ? {} : { created: createdSeconds }),
    ...(model === null ? {} : { model }),
    ...(tier === null ? {} : { service_tier: tier }),
    usage: counts,
  };
}

/** An empty answer of the same endpoint, and how it ended, if that is given next to it. */
function makeForm({ data, output, status }: WireObject): WireObject {
  if (Array.isArray(data)) return { data: [] };
  if (!Array.isArray(output)) return { choices: [] };
  return { output: [], ...(typeof status === 'string' && /^[a-z_]{1,20}$/.test(status) ? { status } : {}) };
}

/** Something was used; how much is unknown. */
const UNKNOWN_USAGE = { total_tokens: -1 };

function readBody(body: unknown): WireObject | null {
  if (typeof body !== 'string') return isWireObject(body) ? body : null;
  try {
    return readBody(JSON.parse(body));
  } catch {
    return null;
  }
}

/** Codes are words chosen by the provider; a longer one may be anything. */
function codeOf(error: unknown): string | null {
  const code = isWireObject(error) ? error.code : null;
  return (typeof code === 'string' && /^[\w.-]{1,64}$/.test(code)) || typeof code === 'number' ? String(code) : null;
}

const TOO_LARGE = 'Request too large';

/** The beginning that decides what a refusal means, and nothing else. */
function shorten(message: string): string {
  return message.includes(TOO_LARGE) ? TOO_LARGE : 'removed';
}
