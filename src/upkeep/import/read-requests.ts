import { isWireObject, type WireObject } from '../../core/answer/completion.ts';
import { UsageError } from '../../core/errors.ts';
import { forEachLine, readLineChunks } from '../../ledger/disk/read-lines.ts';
import { hashContent } from './hash-content.ts';

/** The requests in the input file of a batch. */
export interface ForeignRequests {
  /** The content of each request (hashContent), by custom id; null if an id is used for different requests. */
  readonly contents: ReadonlyMap<string, string | null>;
  readonly requests: number;
  readonly first: { readonly url: string; readonly body: WireObject };
}

/** Reads a batch's input file. @throws UsageError if it is not one */
export async function readForeignRequests(file: string, shown: string, signal: AbortSignal): Promise<ForeignRequests> {
  const contents = new Map<string, string | null>();
  let requests = 0;
  let first: ForeignRequests['first'] | null = null;
  let line = 0;
  for await (const { bytes } of readLineChunks(file, { signal })) {
    forEachLine(bytes, (start, end) => {
      line += 1;
      const text = bytes.toString('utf8', start, end).trim();
      if (text === '') return;
      const request = readRequest(text);
      if (request === null)
        throw new UsageError(
          `${shown}:${line}: is not a request of a batch, which has custom_id, url and body; name the file the batch was created from`,
        );
      const content = hashContent(request.url, request.body);
      const known = contents.get(request.customId);
      contents.set(request.customId, known === undefined || known === content ? content : null);
      requests += 1;
      first ??= request;
    });
  }
  if (first === null) throw new UsageError(`${shown}: is empty; name the file the batch was created from`);
  return { contents, requests, first };
}

function readRequest(text: string): { readonly customId: string; readonly url: string; readonly body: WireObject } | null {
  try {
    const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
    if (!isWireObject(value) || typeof value.custom_id !== 'string' || typeof value.url !== 'string' || !isWireObject(value.body))
      return null;
    return { customId: value.custom_id, url: value.url, body: value.body };
  } catch {
    return null;
  }
}
