import type { Forms } from './forms.ts';

const CHAT = '/v1/chat/completions';

/**
 * The body as this address wants it. How a body is delivered is no part of its content: the key stays that of the job's own body. Bytes change only
 * where the address calls the output cap by its other name; a cap that a job gives that name itself stays as it is.
 */
export function deliverBody(url: string, body: string, { cap }: Forms): string {
  if (url !== CHAT || cap === 'max_completion_tokens' || !body.includes('"max_completion_tokens":')) return body;
  const members = Object.entries(JSON.parse(body) as Record<string, unknown>);
  if (!members.some(([name]) => name === 'max_completion_tokens')) return body;
  return JSON.stringify(Object.fromEntries(members.map(([name, value]) => [name === 'max_completion_tokens' ? cap : name, value])));
}
