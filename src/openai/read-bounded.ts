import { EXIT } from '../core/errors.ts';
import { ApiError } from './api-error.ts';

/** What the API says of files, batches and models; the longest page we ask for has a thousand entries of about 500 bytes. */
const MAX_CONTROL_BYTES = 8 * 2 ** 20;
/** Nothing the API says of files, batches and models nests deeper than ten levels; parsed, each level of a text of brackets takes fifty times its byte. */
const MAX_CONTROL_DEPTH = 100;

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
  if (isDeeper(text, MAX_CONTROL_DEPTH)) throw tooMuch(`the answer nests deeper than ${MAX_CONTROL_DEPTH} levels`, 'deep_answer');
  return JSON.parse(text);
}

/** @throws ApiError of kind `unknown` when the body, unpacked, is longer than `maxBytes`; the rest is not read */
export async function readText(response: Response, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw tooMuch(`the answer is longer than ${formatBytes(maxBytes)}, which is more than it can be`, 'huge_answer');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Whether brackets of a JSON text nest deeper; what is no JSON is told by its parser. */
export function isDeeper(text: string, maxDepth: number): boolean {
  if (text.length <= maxDepth) return false;
  let depth = 0;
  let isInText = false;
  for (let position = 0; position < text.length; position += 1) {
    const code = text.charCodeAt(position);
    if (code === QUOTE) isInText = !isInText;
    else if (isInText) position += code === BACKSLASH ? 1 : 0;
    else if (code === OPEN_LIST || code === OPEN_OBJECT) {
      depth += 1;
      if (depth > maxDepth) return true;
    } else if (code === CLOSE_LIST || code === CLOSE_OBJECT) depth -= 1;
  }
  return false;
}

const [QUOTE, BACKSLASH, OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x22, 0x5c, 0x5b, 0x5d, 0x7b, 0x7d];

function formatBytes(bytes: number): string {
  return bytes < 2 ** 20 ? `${Math.ceil(bytes / 1024)} KB` : `${Math.ceil(bytes / 2 ** 20)} MB`;
}

function tooMuch(message: string, code: string): ApiError {
  return new ApiError(message, { kind: 'unknown', code, exitCode: EXIT.notFinished });
}
