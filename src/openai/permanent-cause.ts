import type { ProxySettings } from './transport/open-fetch.ts';

/** A connection that could not be established. `said` are the messages of the failure; they may name hosts. */
export interface Transport {
  readonly code: string;
  readonly said: string;
}

/**
 * What prevents every connection until somebody changes something, as a sentence that says what to set; null if it may pass by
 * itself.
 */
export function findPermanentCause({ code, said }: Transport, baseUrl: string, proxy: ProxySettings | null): string | null {
  const { host } = new URL(baseUrl);
  if (isCertificateCode(code)) {
    return `the certificate of ${host} is not trusted (${code}); if it should be, set NODE_EXTRA_CA_CERTS to a file with the certificate of its issuer`;
  }
  if (isProxyRefusal(said) && proxy !== null) {
    const status = /\((\d{3})\)/.exec(said)?.[1] ?? 'an error';
    return `the proxy ${proxy.host} does not let calls through to ${host} (it answers ${status}): look at ${proxy.variable}, which may need a user and a password, or name the host in NO_PROXY`;
  }
  if (code === 'ENOTFOUND') {
    const missing = /ENOTFOUND (\S+)/.exec(said)?.[1] ?? host;
    const whose = proxy?.host.startsWith(missing) ? `, which ${proxy.variable} names` : '';
    return `there is no host ${missing}${whose}: check that this machine is online, and that the base URL ${baseUrl} is right${proxy === null ? '; if you need a proxy, set HTTPS_PROXY' : ''}`;
  }
  if (code === BAD_PORT)
    return `no call goes to ${host}: its port is kept for another service (fetch refuses it); have the server listen at another port`;
  if (isTlsMismatch(code)) return `${host} does not speak TLS (${code}): the base URL may have to begin with http://`;
  return null;
}

/** Ports of mail, terminals and similar (the fetch standard's "port blocking", seen 2026-11-29). */
export const BAD_PORT = 'bad_port';

export function isProxyRefusal(said: string): boolean {
  return /proxy response|proxy authentication required/i.test(said);
}

/** Node's and OpenSSL's codes for a rejected certificate (Node 20 to 24, seen 2026-11-29). */
export function isCertificateCode(code: string): boolean {
  return /^(CERT_|UNABLE_TO_(VERIFY|GET|DECRYPT|DECODE)_|INVALID_(CA|PURPOSE)$|ERR_TLS_CERT_ALTNAME_INVALID$)|SELF_SIGNED_CERT/.test(code);
}

function isTlsMismatch(code: string): boolean {
  return /^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST)$/.test(code);
}
