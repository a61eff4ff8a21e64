/** Keys read by this process, besides the one in the environment. */
const known = new Set<string>();

/** Shorter texts are no keys, and would be found everywhere. */
const MIN_SECRET_CHARACTERS = 8;
/** A piece of a key this long is as good as cut out: providers quote keys shortened. */
const FRAGMENT_CHARACTERS = 16;

/** Tells which text must never be printed: a key that came from a file. */
export function rememberSecret(secret: string): void {
  known.add(secret);
}

/** Replaces every API key this process knows, as it is, percent-encoded, in base64, or a long piece of it. */
export function scrubSecrets(text: string): string {
  let scrubbed = text;
  for (const secret of [...known, process.env.OPENAI_API_KEY?.trim() ?? '']) {
    if (secret.length < MIN_SECRET_CHARACTERS) continue;
    const encoded = [encodeURIComponent(secret), Buffer.from(secret).toString('base64'), Buffer.from(secret).toString('base64url')];
    for (const form of [secret, ...encoded]) scrubbed = scrubbed.replaceAll(form, '[key]');
    for (let start = 0; start + FRAGMENT_CHARACTERS <= secret.length; start++) {
      scrubbed = scrubbed.replaceAll(secret.slice(start, start + FRAGMENT_CHARACTERS), '[key]');
    }
  }
  return scrubbed;
}
