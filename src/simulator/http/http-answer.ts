import * as fs from 'node:fs';
import type { ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { RequestAction } from '../faults/fault-plan.ts';
import type { WireAnswer } from '../http-types.ts';

/** How the transmission of a response is disturbed. */
export type SendingFault = Extract<RequestAction, { type: 'cut' | 'drip' }>;

/** Writes a response to the socket; file contents are streamed. Resolves when the last byte was handed over or the client has gone. */
export async function sendAnswer(
  response: ServerResponse,
  answer: WireAnswer,
  { fault, signal }: { readonly fault: SendingFault | undefined; readonly signal: AbortSignal },
): Promise<void> {
  if (answer.type === 'json') {
    const isText = typeof answer.body === 'string';
    const bytes = Buffer.from(isText ? (answer.body as string) : JSON.stringify(answer.body));
    response.writeHead(answer.status, {
      'content-type': 'application/json',
      'content-length': lengthOf(bytes.length, fault),
      ...answer.headers,
    });
    if (fault === undefined) response.end(bytes);
    else await sendDisturbed(response, [bytes], { fault, signal });
    return;
  }
  response.writeHead(answer.status, { 'content-type': 'application/octet-stream', 'content-length': lengthOf(answer.bytes, fault) });
  const content = fs.createReadStream(answer.path, { highWaterMark: 256 * 1024 });
  if (fault !== undefined) await sendDisturbed(response, content, { fault, signal });
  // A client that disconnects during a download is not an error.
  else await pipeline(content, response).catch(() => response.destroy());
}

/** A cut that closes the connection promises the whole length; one that does not looks like a shorter, complete response. */
function lengthOf(bytes: number, fault: SendingFault | undefined): number {
  return fault?.type === 'cut' && !fault.closes ? Math.min(bytes, fault.atByte) : bytes;
}

interface Disturbance {
  readonly fault: SendingFault;
  readonly signal: AbortSignal;
}

async function sendDisturbed(
  response: ServerResponse,
  content: AsyncIterable<Buffer> | Iterable<Buffer>,
  { fault, signal }: Disturbance,
): Promise<void> {
  let sent = 0;
  for await (const chunk of content) {
    if (fault.type === 'cut') {
      await write(response, chunk.subarray(0, Math.max(0, fault.atByte - sent)));
      sent += chunk.length;
      continue;
    }
    for (let start = 0; start < chunk.length; start += fault.bytes) {
      if (signal.aborted || response.destroyed) return;
      await write(response, chunk.subarray(start, start + fault.bytes));
      await new Promise((resolve) => setTimeout(resolve, fault.everyMs));
    }
  }
  if (fault.type === 'cut' && fault.closes) response.socket?.end();
  else response.end();
}

function write(response: ServerResponse, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    if (bytes.length === 0) resolve();
    else response.write(bytes, () => resolve());
  });
}
