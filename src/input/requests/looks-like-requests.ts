import { decodeText } from '../table/decode-text.ts';
import { findFiles } from '../table/find-files.ts';
import { readBytes } from '../table/read-bytes.ts';

const NAME = /\.(jsonl|ndjson)(\.gz)?$/i;
/** A first line may contain images. */
const MAX_CHARACTERS = 1 << 26;

/** Whether the first line of a file is a request in the form of the Batch API. @param path absolute, or a glob */
export async function looksLikeRequests(path: string, cwd: string, signal: AbortSignal): Promise<boolean> {
  if (!NAME.test(path)) return false;
  const [file] = await findFiles(path, cwd);
  if (file === undefined) return false;
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of decodeText(readBytes(file, signal), file, null)) {
    pieces.push(Buffer.from(chunk));
    bytes += chunk.length;
    if (chunk.includes(10) || bytes > MAX_CHARACTERS) break;
  }
  return isRequest(Buffer.concat(pieces).toString('utf8').trimStart().split('\n', 1)[0] ?? '');
}

function isRequest(line: string): boolean {
  try {
    const { custom_id: customId, url, body } = JSON.parse(line) as Readonly<Record<string, unknown>>;
    return typeof customId === 'string' && typeof url === 'string' && typeof body === 'object' && body !== null;
  } catch {
    return false;
  }
}
