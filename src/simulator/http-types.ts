import type { IncomingMessage } from 'node:http';

/** One request as the endpoints see it; the body is still on the socket. */
export interface WireRequest {
  readonly method: string;
  readonly path: string;
  /** The value of the route's placeholder: a file's or batch's id. */
  readonly id: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly stream: IncomingMessage;
}

/** One answer before it is written: a JSON body, or a file streamed from disk. */
export type WireAnswer =
  | { readonly type: 'json'; readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body: unknown }
  | { readonly type: 'file'; readonly status: 200; readonly path: string; readonly bytes: number };

/** Makes the answer of most endpoints. */
export function answerJson(body: unknown, headers: Readonly<Record<string, string>> = {}): WireAnswer {
  return { type: 'json', status: 200, headers, body };
}
