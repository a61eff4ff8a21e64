import type { AnswerFaultRequest } from './answer-faults.ts';
import { answerChat } from './chat.ts';
import { answerEmbeddings } from './embeddings.ts';
import type { WireBody } from './prompt.ts';
import { type AnsweringEndpoint, checkRequest } from './request-rules.ts';
import { answerResponse } from './responses.ts';

/** What stands around one request when it is answered. */
export interface AnswerContext {
  /** The simulator's seed and the request's hash as one text. */
  readonly drawSeed: string;
  /** The tail of the answer's id; equal requests under one custom_id get equal ids, so that tables of two runs can be compared. */
  readonly idDigits: string;
  readonly createdAtSeconds: number;
  readonly fault?: AnswerFaultRequest | undefined;
}

/** An answered request: always 200, always billed. */
export interface Answer {
  readonly body: Readonly<Record<string, unknown>>;
  /** The true usage, as on the wire; a fault may hide it from the body, never from the bill. */
  readonly usage: Readonly<Record<string, unknown>>;
  /** The snapshot that answered. */
  readonly model: string;
  readonly serviceTier: string;
}

/** Answers one request of either lane, or throws the WireError the API would answer with. */
export function answerRequest(endpoint: AnsweringEndpoint, body: WireBody, context: AnswerContext): Answer {
  const rules = checkRequest(endpoint, body);
  switch (endpoint) {
    case '/v1/chat/completions':
      return answerChat(body, rules, context);
    case '/v1/responses':
      return answerResponse(body, rules, context);
    case '/v1/embeddings':
      return answerEmbeddings(body, rules, context);
    default:
      return endpoint satisfies never;
  }
}
