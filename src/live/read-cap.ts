import type { Request } from '../core/request.ts';

/** The most output tokens a request allows, over all its votes; null where it sets no cap. An embedding has no output. */
export function readCapTokens({ url, body }: Pick<Request, 'url' | 'body'>): number | null {
  if (url === '/v1/embeddings') return 0;
  const parsed = JSON.parse(body) as Readonly<Record<string, unknown>>;
  const cap = parsed.max_completion_tokens ?? parsed.max_output_tokens ?? parsed.max_tokens;
  if (typeof cap !== 'number') return null;
  return cap * (typeof parsed.n === 'number' && parsed.n > 1 ? parsed.n : 1);
}
