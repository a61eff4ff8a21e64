import { countImageTokens, type PromptImage } from './images.ts';

/** A request's body as received: anything until it was checked. */
export type WireBody = Readonly<Record<string, unknown>>;

/** The parts of a message used to make answers. */
export interface PromptMessage {
  readonly role: string;
  readonly text: string;
  readonly images: readonly PromptImage[];
  /** The tokens of the images; one that cannot be read counts nothing. */
  readonly imageTokens: number;
}

/** True for an object that is neither null nor an array. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The messages of a chat or Responses body: `messages`, or `input` (text or items) after `instructions`. */
export function readPrompt(body: WireBody): readonly PromptMessage[] {
  const messages: PromptMessage[] = [];
  if (typeof body.instructions === 'string') messages.push(makeText('developer', body.instructions));
  const input = body.messages ?? body.input;
  if (typeof input === 'string') messages.push(makeText('user', input));
  if (Array.isArray(input)) for (const message of input) if (isRecord(message)) messages.push(readMessage(message, String(body.model)));
  return messages;
}

function makeText(role: string, text: string): PromptMessage {
  return { role, text, images: [], imageTokens: 0 };
}

function readMessage(message: Readonly<Record<string, unknown>>, model: string): PromptMessage {
  const role = typeof message.role === 'string' ? message.role : 'user';
  const content = message.content;
  if (typeof content === 'string') return makeText(role, content);
  if (!Array.isArray(content)) return makeText(role, '');
  const parts = content.filter(isRecord);
  const texts = parts.map((part) => part.text).filter((text) => typeof text === 'string');
  const images = parts.flatMap(readImage);
  return { role, text: texts.join(''), images, imageTokens: images.reduce((sum, image) => sum + countImageTokens(model, image), 0) };
}

/** Chat: `image_url: {url, detail}`, `file: {file_data}`; Responses: `image_url` or `file_data` as a text, `detail` beside it. */
export function readImage(part: Readonly<Record<string, unknown>>): readonly PromptImage[] {
  const { type, image_url: image } = part;
  const data = type === 'file' && isRecord(part.file) ? part.file.file_data : type === 'input_file' ? part.file_data : undefined;
  if (typeof data === 'string') return [{ url: data, detail: 'auto' }];
  if (type === 'image_url' && isRecord(image)) return [{ url: String(image.url), detail: String(image.detail ?? 'auto') }];
  return type === 'input_image' && typeof image === 'string' ? [{ url: image, detail: String(part.detail ?? 'auto') }] : [];
}
