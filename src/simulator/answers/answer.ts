import type { Answer, AnswerContext } from './answer-types.ts';
import { answerChat } from './chat.ts';
import { answerEmbeddings } from './embeddings.ts';
import type { WireBody } from './prompt.ts';
import { type AnsweringEndpoint, checkRequest } from './request-rules.ts';
import { answerResponse } from './responses.ts';
import { makeWorldAnswer } from './world-answer.ts';

/** Answers one request of either lane, or throws the WireError the API would answer with. */
export function answerRequest(endpoint: AnsweringEndpoint, body: WireBody, context: AnswerContext): Answer {
  const { fault } = context;
  if (fault?.kind !== 'world') return answerItself(endpoint, body, context);
  return makeWorldAnswer(answerItself(endpoint, body, { ...context, fault: undefined }), fault.body);
}

function answerItself(endpoint: AnsweringEndpoint, body: WireBody, context: AnswerContext): Answer {
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
