import { hideSecret } from '../openai/hide-secret.ts';

/** Keys read by this process, besides the one in the environment. */
const known = new Set<string>();

/** Registers a text that must never be printed: a key that came from a file. */
export function rememberSecret(secret: string): void {
  known.add(secret);
}

/** Masks every API key this process knows. */
export function scrubSecrets(text: string): string {
  return [...known, process.env.OPENAI_API_KEY?.trim() ?? ''].reduce(hideSecret, text);
}
