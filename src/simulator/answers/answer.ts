import type { Answer, AnswerContext } from './answer-types.ts';
import { answerChat } from './chat.ts';
import { answerEmbeddings } from './embeddings.ts';
import type { WireBody } from './prompt.ts';
import { type AnsweringEndpoint, checkRequest } from './request-rules.ts';
import { answerResponse } from './responses.ts';

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
