import { formatWait } from '../core/waiting/wait-teller.ts';
import type { ApiError } from './api-error.ts';

/** What the codes of a failed connection mean, in a word; other codes are shown as they are. */
const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refused',
  ECONNRESET: 'cut off',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'no name server',
  EHOSTUNREACH: 'no way to it',
  ENETUNREACH: 'no network',
  ETIMEDOUT: 'no answer',
  UND_ERR_CONNECT_TIMEOUT: 'no answer',
};

/** How a provider is being reached that did not take a call: `connecting to api.openai.com: refused, trying again, 12 s`; for one that answered, what it said. */
export function describeContact(host: string, { kind, code, message }: ApiError, passedMs: number): string {
  const passed = formatWait(passedMs);
  if (kind !== 'not-sent') return `${host}: ${message}; trying again, ${passed}`;
  return `connecting to ${host}: ${WORDS[code] ?? code}, trying again, ${passed}`;
}
