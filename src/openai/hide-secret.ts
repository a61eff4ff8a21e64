/** Shorter texts are not keys, and would be found everywhere. */
const MIN_SECRET_CHARACTERS = 8;
/** A piece of a key of this length is masked too: providers quote keys shortened. */
const FRAGMENT_CHARACTERS = 16;

/** Replaces a secret in a text by `[key]`: literal, percent-encoded, in base64, or a long piece of it. */
export function hideSecret(text: string, secret: string): string {
  if (secret.length < MIN_SECRET_CHARACTERS) return text;
  const encoded = [encodeURIComponent(secret), Buffer.from(secret).toString('base64'), Buffer.from(secret).toString('base64url')];
  let hidden = text;
  for (const form of [secret, ...encoded]) hidden = hidden.replaceAll(form, '[key]');
  for (let start = 0; start + FRAGMENT_CHARACTERS <= secret.length; start++) {
    hidden = hidden.replaceAll(secret.slice(start, start + FRAGMENT_CHARACTERS), '[key]');
  }
  return hidden;
}
