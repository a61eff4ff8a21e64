import { hideSecret } from './hide-secret.ts';

/** No refusal says anything worth keeping beyond this. */
const MAX_REFUSAL_BYTES = 64 * 1024;

/**
 * Passes the body of a refusal on as `{"error": {"text": "…"}}`: the SDK discards a body that is not wrapped in `error` (openai 6.49.0).
 * Error texts are stored and shown, and some providers and proxies quote the API key: it is masked here.
 */
export async function keepRefusedBody(response: Response, apiKey: string): Promise<Response> {
  const text = hideSecret(await readStart(response), apiKey);
  const headers = new Headers(response.headers);
  // The body has changed.
  for (const name of ['content-length', 'content-encoding', 'transfer-encoding']) headers.delete(name);
  const body = response.status === 304 ? null : JSON.stringify({ error: { text } });
  return new Response(body, { status: response.status, statusText: response.statusText, headers });
}

/** The first bytes of a body; if it breaks off, what was received. */
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
    // The status is enough.
  }
  return Buffer.concat(chunks).toString('utf8', 0, MAX_REFUSAL_BYTES);
}
