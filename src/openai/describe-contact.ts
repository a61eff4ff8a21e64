import { formatWait } from '../core/waiting/wait-teller.ts';
import type { ApiError } from './api-error.ts';

/** The meaning of connection error codes; other codes are shown unchanged. */
const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refused',
  ECONNRESET: 'cut off',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'no name server',
  EHOSTUNREACH: 'no route to it',
  ENETUNREACH: 'no network',
  ETIMEDOUT: 'no answer',
  UND_ERR_CONNECT_TIMEOUT: 'no answer',
};

/** The attempt to reach a provider that did not accept a call: `connecting to api.openai.com: refused, trying again, 12 s`; if it answered, its message. */
export function describeContact(host: string, { kind, code, message }: ApiError, passedMs: number): string {
  const passed = formatWait(passedMs);
  if (kind !== 'not-sent') return `${host}: ${message}; trying again, ${passed}`;
  return `connecting to ${host}: ${WORDS[code] ?? code}, trying again, ${passed}`;
}
