/** A request's body as it came over the wire: anything until it was checked. */
export type WireBody = Readonly<Record<string, unknown>>;

/** One message reduced to what answers are made from. */
export interface PromptMessage {
  readonly role: string;
  readonly text: string;
  readonly images: number;
}

/** True for an object that is neither null nor an array. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The messages of a chat or Responses body: `messages`, or `input` (text or items) after `instructions`. */
export function readPrompt(body: WireBody): readonly PromptMessage[] {
  const messages: PromptMessage[] = [];
  if (typeof body.instructions === 'string') messages.push({ role: 'developer', text: body.instructions, images: 0 });
  const input = body.messages ?? body.input;
  if (typeof input === 'string') messages.push({ role: 'user', text: input, images: 0 });
  if (Array.isArray(input)) for (const message of input) if (isRecord(message)) messages.push(readMessage(message));
  return messages;
}

function readMessage(message: Readonly<Record<string, unknown>>): PromptMessage {
  const role = typeof message.role === 'string' ? message.role : 'user';
  const content = message.content;
  if (typeof content === 'string') return { role, text: content, images: 0 };
  if (!Array.isArray(content)) return { role, text: '', images: 0 };
  const parts = content.filter(isRecord);
  const texts = parts.map((part) => part.text).filter((text) => typeof text === 'string');
  return { role, text: texts.join('\n'), images: parts.length - texts.length };
}
