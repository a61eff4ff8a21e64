import { isBeyondBounds } from '../core/bounds/json-size.ts';
import { EXIT } from '../core/errors.ts';
import { ApiError } from './api-error.ts';

/** What the API says of files, batches and models; the longest page we ask for has a thousand entries of about 500 bytes. */
const MAX_CONTROL_BYTES = 8 * 2 ** 20;
/** Nothing the API says of files, batches and models nests deeper than ten levels. */
const CONTROL_BOUNDS = { levels: 100, values: 500_000 };

/**
 * Reads the JSON of an answer about files, batches or models. Whatever comes after the bound is not taken from the line.
 * @returns what the SDK would: the text itself where the answer says that it is no JSON
 * @throws ApiError of kind `unknown` when it is larger or deeper than any such answer; SyntaxError when it is no JSON
 */
export async function readControlAnswer(response: Response): Promise<unknown> {
  const text = await readText(response, MAX_CONTROL_BYTES);
  const [type = ''] = (response.headers.get('content-type') ?? '').split(';');
  if (!/(\/|\+)json$/i.test(type.trim())) return text;
  if (text === '') return undefined;
  if (isBeyondBounds(text, CONTROL_BOUNDS)) throw tooMuch('the answer is larger than it can be', 'huge_answer');
  return JSON.parse(text);
}

/** @throws ApiError of kind `unknown` when the body, unpacked, is longer than `maxBytes`; the rest is not read */
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
