import { stringifyExactly } from '../core/exact/exact-number.ts';
import { parseExactly } from '../core/exact/parse-exactly.ts';
import { scanJson } from '../core/exact/scan-json.ts';
import type { Forms } from './forms.ts';

const CHAT = '/v1/chat/completions';
const MENTIONS_CAP = /"max_completion_tokens"\s*:/;

/**
 * The body in the forms of this address. Delivery is not part of the content: the key stays that of the job's own body. Bytes change only
 * if the address uses the other name of the output cap; a cap named by the job itself stays as it is, and so do the bodies of tables of requests.
 */
export function deliverBody(url: string, body: string, { cap }: Forms): string {
  if (url !== CHAT || cap === 'max_completion_tokens' || !MENTIONS_CAP.test(body)) return body;
  const value = (scanJson(body).hasOddNumber ? parseExactly(body) : JSON.parse(body)) as Record<string, unknown>;
  const members = Object.entries(value);
  if (!members.some(([name]) => name === 'max_completion_tokens')) return body;
  return stringifyExactly(Object.fromEntries(members.map(([name, value]) => [name === 'max_completion_tokens' ? cap : name, value])));
}
