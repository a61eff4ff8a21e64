import { stringifyExactly } from '../../core/exact/exact-number.ts';
import { parseExactly } from '../../core/exact/parse-exactly.ts';
import { scanJson } from '../../core/exact/scan-json.ts';
import { makeCustomId, type Request } from '../../core/request.ts';

/** Why and how a row is asked again. */
export interface Reask {
  /** The number of the re-ask, from 1. */
  readonly n: number;
  readonly cause: 'invalid' | 'truncated';
  /** The rejected answer; null if it had no text. */
  readonly answerText: string | null;
  /** What was wrong with it. */
  readonly message: string;
  /** The largest output cap of the re-ask; null or absent: the model's maximum. */
  readonly outputCap?: number | null;
}

interface ReaskedBody {
  /** For a chat completion. */
  messages?: Message[];
  /** For a response; an embedding has one text, which cannot be asked differently. */
  input?: Message[] | string;
  max_completion_tokens?: number;
  max_tokens?: number;
  max_output_tokens?: number;
}

interface Message {
  role: string;
  content: string;
}

/**
 * The request of a re-ask, made from the row's first request. Invalid: the answer and what is wrong with it are appended. Truncated: the output cap
 * is doubled with each re-ask, up to the largest one allowed. The key stays; the wire id is `<key>-r<n>`.
 */
export function renderReask(request: Request, reask: Reask, maxOutputTokens: number | null): Request {
  // A request of a table may contain numbers that must stay as written.
  const body = (scanJson(request.body).hasOddNumber ? parseExactly(request.body) : JSON.parse(request.body)) as ReaskedBody;
  const messages = body.messages ?? body.input;
  if (reask.cause === 'truncated') {
    const bound = Math.min(reask.outputCap ?? Number.POSITIVE_INFINITY, maxOutputTokens ?? Number.POSITIVE_INFINITY);
    for (const name of ['max_completion_tokens', 'max_tokens', 'max_output_tokens'] as const) {
      const cap = body[name];
      if (cap !== undefined) body[name] = Math.max(cap, Math.min(cap * 2 ** reask.n, bound));
    }
  } else if (Array.isArray(messages)) {
    if (reask.answerText !== null && reask.answerText !== '') messages.push({ role: 'assistant', content: reask.answerText });
    messages.push({
      role: 'user',
      content: `This answer cannot be used: ${reask.message}. Reply again, with the corrected answer only.`,
    });
  }
  return { ...request, customId: makeCustomId(request.key, reask.n), body: stringifyExactly(body) };
}
