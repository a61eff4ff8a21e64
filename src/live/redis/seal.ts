import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * Proves that a job or an end was written by somebody who knows `ROWMILL_QUEUE_SECRET`: HMAC-SHA256 over its parts, each with its length, so
 * that no part can borrow from its neighbour. Empty without a secret.
 */
export function makeSeal(secret: string | null, parts: readonly string[]): string {
  if (secret === null) return '';
  const hmac = createHmac('sha256', secret);
  for (const part of parts) hmac.update(`${Buffer.byteLength(part)}:`).update(part);
  return hmac.digest('base64url');
}

/** Whether the seal matches these parts; compared in constant time. Everything passes without a secret. */
export function isSealed(secret: string | null, parts: readonly string[], seal: unknown): boolean {
  if (secret === null) return true;
  const expected = Buffer.from(makeSeal(secret, parts));
  const given = Buffer.from(typeof seal === 'string' ? seal : '');
  return given.length === expected.length && timingSafeEqual(given, expected);
}
