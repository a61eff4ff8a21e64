import { createReadStream } from 'node:fs';
import { readResponseLine } from '../core/response-line.ts';
import { learnFromLine } from '../openai/form-learning.ts';
import type { BatchContext } from './context.ts';

/** A form that an address does not accept is refused in every line: the first ones show it. */
const START_BYTES = 64 * 1024;

/**
 * Checks the first lines of a result file for a refusal of something that the address may want in another form, so that the next shards use
 * it. The refused rows have failed and were not billed; `retry` reopens them.
 */
export async function learnFromLines({ provider, warn }: BatchContext, path: string): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of createReadStream(path, { end: START_BYTES - 1 })) chunks.push(chunk as Buffer);
  for (const text of Buffer.concat(chunks).toString('utf8').split('\n')) {
    const reading = readResponseLine(text);
    if (reading.status !== 'line' || reading.line.response === null) continue;
    const { status_code: status, body } = reading.line.response;
    if (status === null || status < 400 || !learnFromLine({ status, body }, provider.forms)) continue;
    warn('rows of a batch were refused only because of that and cost nothing: rowmill retry with --cause bad_request sends them again');
    return;
  }
}
