import { isLoopbackHost } from '../../core/bounds/private-address.ts';
import type { NotifySpec } from '../../core/job.ts';
import { rememberSecret } from '../secrets.ts';

/** Where notices go, or a sentence on why they go nowhere. The address is a secret: no sentence contains it. */
export type NoticeAddress = { readonly url: URL; readonly problem: null } | { readonly url: null; readonly problem: string };

/**
 * Reads the address of a job's webhook from the environment.
 * @param isSimulated nothing leaves this machine then
 */
export function readNoticeAddress(
  { urlEnv }: NotifySpec,
  env: Readonly<Record<string, string | undefined>>,
  isSimulated: boolean,
): NoticeAddress {
  const refuse = (why: string): NoticeAddress => ({ url: null, problem: `notify: ${why}; no notification is sent for this run` });
  const text = env[urlEnv]?.trim() ?? '';
  if (text === '') return refuse(`the environment variable ${urlEnv} is not set`);
  // Its host is not secret, and may be that of the API: commands show it.
  const [, authority = '', rest = ''] = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)(.*)$/is.exec(text) ?? [];
  for (const secret of rest === '' && authority === '' ? [text] : [rest, /(.*)@/.exec(authority)?.[1] ?? '']) rememberSecret(secret);
  if (!URL.canParse(text)) return refuse(`${urlEnv} does not hold a URL`);
  const url = new URL(text);
  const isHere = isLoopbackHost(url.hostname);
  if (url.username !== '' || url.password !== '')
    return refuse(`the URL in ${urlEnv} contains a password, which is never sent; leave it out`);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && (isHere || isNamed(url, env.ROWMILL_HTTP_HOSTS ?? ''))))
    return refuse(`the URL in ${urlEnv} must begin with https://, except on this machine and for hosts in ROWMILL_HTTP_HOSTS`);
  if (isSimulated && !isHere) return refuse('with --simulate nothing leaves this machine');
  return { url, problem: null };
}

function isNamed({ host, hostname }: URL, names: string): boolean {
  const named = names.split(/[\s,]+/).map((name) => name.toLowerCase());
  return named.includes(host) || named.includes(hostname);
}
