import type { IncomingMessage } from 'node:http';
import { isRecord, type WireBody } from './answers/prompt.ts';
import { WireError } from './wire-error.ts';

const MOST_BODY_BYTES = 64 * 1024 * 1024;

/** Reads a whole JSON body. Throws WireError 400 if it is not an object, 413 above 64 MiB. */
export async function readJsonBody(stream: IncomingMessage): Promise<{ readonly bytes: Buffer; readonly body: WireBody }> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MOST_BODY_BYTES) throw new WireError(413, { message: `Maximum content size limit (${MOST_BODY_BYTES}) exceeded` });
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  try {
    const body: unknown = JSON.parse(bytes.toString('utf8'));
    if (isRecord(body)) return { bytes, body };
  } catch {
    // Answered below like any other body that is not an object.
  }
  throw new WireError(400, { message: 'We could not parse the JSON body of your request. The API expects a JSON payload.' });
}
