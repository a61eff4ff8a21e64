import { isBeyondBounds } from '../core/bounds/json-size.ts';
import { EXIT } from '../core/errors.ts';
import { ApiError } from './api-error.ts';

/** Responses about files, batches and models; the longest page we request has a thousand entries of about 500 bytes. */
const MAX_CONTROL_BYTES = 8 * 2 ** 20;
/** No response about files, batches and models nests deeper than ten levels. */
const CONTROL_BOUNDS = { levels: 100, values: 500_000 };

/**
 * Reads the JSON of a response about files, batches or models. Anything beyond the bound is not read from the connection.
 * @returns what the SDK would: the text itself if the response says that it is not JSON
 * @throws ApiError of kind `unknown` if it is larger or deeper than any such response; SyntaxError if it is not JSON
 */
export async function readControlAnswer(response: Response): Promise<unknown> {
  const text = await readText(response, MAX_CONTROL_BYTES);
  const [type = ''] = (response.headers.get('content-type') ?? '').split(';');
  if (!/(\/|\+)json$/i.test(type.trim())) return text;
  if (text === '') return undefined;
  if (isBeyondBounds(text, CONTROL_BOUNDS)) throw tooMuch('the answer is larger than it can be', 'huge_answer');
  return JSON.parse(text);
}

/** @throws ApiError of kind `unknown` if the body, uncompressed, is longer than `maxBytes`; the rest is not read */
export async function readText(response: Response, maxBytes: number, onBytes?: (bytes: number) => Promise<void>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw tooMuch(`the answer is longer than ${formatBytes(maxBytes)}, which is more than it can be`, 'huge_answer');
    await onBytes?.(bytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function formatBytes(bytes: number): string {
  return bytes < 2 ** 20 ? `${Math.ceil(bytes / 1024)} KB` : `${Math.ceil(bytes / 2 ** 20)} MB`;
}

function tooMuch(message: string, code: string): ApiError {
  return new ApiError(message, { kind: 'unknown', code, exitCode: EXIT.notFinished });
}
