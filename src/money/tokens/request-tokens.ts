import type { CountTokens } from './tokenizer.ts';

/** The tokens of a request's prompt. */
export interface RequestTokens {
  /** Messages with their overhead. */
  readonly messageTokens: number;
  /** The answer's schema as text: how it is counted is not published, so this is for bounds only. */
  readonly schemaTokens: number;
}

/** Each message costs this much besides its role and content; the start of the reply as much again (OpenAI’s cookbook on counting tokens, seen 2026-11-21). */
const TOKENS_PER_MESSAGE = 3;
const TOKENS_OF_REPLY = 3;
const TOKENS_OF_NAME = 1;

/**
 * Counts the prompt of a body: the messages of a chat completion or a response, the one text of an embedding. Images are not counted.
 * @returns null if the text is not a JSON object with a prompt
 */
export function countRequestTokens(body: string, countTokens: CountTokens): RequestTokens | null {
  const request = parseObject(body);
  const messages = request?.messages ?? request?.input;
  if (typeof messages === 'string') return { messageTokens: countTokens(messages), schemaTokens: 0 };
  if (request === null || !Array.isArray(messages)) return null;
  let messageTokens = TOKENS_OF_REPLY;
  for (const message of messages as readonly Record<string, unknown>[]) {
    messageTokens += TOKENS_PER_MESSAGE + countTokens(String(message.role));
    for (const text of listTexts(message.content)) messageTokens += countTokens(text);
    if (typeof message.name === 'string') messageTokens += TOKENS_OF_NAME + countTokens(message.name);
  }
  const { response_format: format, text } = request as { response_format?: { json_schema?: unknown }; text?: { format?: unknown } };
  const schema = format?.json_schema ?? text?.format;
  return { messageTokens, schemaTokens: schema === undefined ? 0 : countTokens(JSON.stringify(schema)) };
}

/** A message's content is a string, or parts of which some are texts. */
function listTexts(content: unknown): readonly string[] {
  if (typeof content === 'string') return [content];
  if (!Array.isArray(content)) return [];
  return content.flatMap((part: { text?: unknown } | null) => (typeof part?.text === 'string' ? [part.text] : []));
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
