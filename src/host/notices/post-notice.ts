import { openWay } from '../../openai/transport/open-fetch.ts';
import type { Post } from './render-notice.ts';

/**
 * The result of a post: `told`; `unanswered`, which may have been accepted; `failed`, which was not.
 * @see why in words, without the address
 */
export type PostEnd = { readonly status: 'told' } | { readonly status: 'unanswered' | 'failed'; readonly why: string };

/** A connection not established by then has delivered nothing: this is known before the time for all posts is over. */
const CONNECT_MS = 2_000;

/** Posts once. A redirect is not followed: it could lead the message, or the secret in its address, elsewhere. Never throws. */
export async function postNotice(url: URL, { headers, body }: Post, signal: AbortSignal): Promise<PostEnd> {
  try {
    const way = await openWay(process.env, CONNECT_MS);
    const answer = await way.fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal });
    await answer.body?.cancel().catch(() => {});
    if (answer.ok) return { status: 'told' };
    const redirected = answer.status >= 300 && answer.status <= 399 ? ', a redirect, which is not followed' : '';
    return { status: 'failed', why: `it answered with status ${answer.status}${redirected}` };
  } catch (error) {
    if (signal.aborted) return { status: 'unanswered', why: 'it did not answer in time' };
    return { status: 'failed', why: `it could not be reached (${nameCause(error)})` };
  }
}

/** Network messages may contain the address: a code does not. */
function nameCause(error: unknown): string {
  const { code } = ((error as Error | undefined)?.cause ?? error) as NodeJS.ErrnoException;
  return typeof code === 'string' && /^[A-Z0-9_]{2,40}$/.test(code) ? code : 'network error';
}
