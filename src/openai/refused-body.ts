import { hideSecret } from './hide-secret.ts';

/** No refusal says anything worth keeping beyond this. */
const MAX_REFUSAL_BYTES = 64 * 1024;

/**
 * Hands the body of a refusal on as `{"error": {"text": "…"}}`: the SDK keeps nothing of a body that is not wrapped in `error` (openai 6.49.0).
 * What a provider or a proxy says is kept in files and shown, and some quote the key they were given: it is hidden here.
 */
export async function keepRefusedBody(response: Response, apiKey: string): Promise<Response> {
  const text = hideSecret(await readStart(response), apiKey);
  const headers = new Headers(response.headers);
  // The body is another one now.
  for (const name of ['content-length', 'content-encoding', 'transfer-encoding']) headers.delete(name);
  const body = response.status === 304 ? null : JSON.stringify({ error: { text } });
  return new Response(body, { status: response.status, statusText: response.statusText, headers });
}

/** The first bytes of a body; one that breaks off is as long as it came. */
async function readStart(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response.body ?? []) {
      chunks.push(chunk);
      bytes += chunk.byteLength;
      // Leaving the loop cancels the rest.
      if (bytes >= MAX_REFUSAL_BYTES) break;
    }
  } catch {
    // The status has said the essential.
  }
  return Buffer.concat(chunks).toString('utf8', 0, MAX_REFUSAL_BYTES);
}
