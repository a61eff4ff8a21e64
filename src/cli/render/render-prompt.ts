import { escapeForTerminal, escapeLineForTerminal } from '../../output/escape-for-terminal.ts';
import type { Paint } from './paint.ts';

/** The prompt of a request's body in readable form; parameters on one line below. */
export function renderPrompt(request: unknown, paint: Paint, maxLines = Number.POSITIVE_INFINITY): string {
  const { messages: chat, input, ...params } = request as { readonly messages?: Messages; readonly input?: Messages | string };
  const messages = typeof input === 'string' ? [{ role: 'input', content: input }] : (chat ?? input ?? []);
  const lines = messages.flatMap(({ role, content }) => {
    const text = typeof content === 'string' ? content : renderParts(content);
    const [first = '', ...rest] = escapeForTerminal(text.trimEnd()).split('\n');
    return [`${paint('dim', `${escapeLineForTerminal(String(role))}:`)} ${first}`, ...rest.map((line) => `  ${line}`)];
  });
  const shown = lines.length <= maxLines ? lines : [...lines.slice(0, maxLines), paint('dim', `  … ${lines.length - maxLines} more lines`)];
  return [...shown, paint('dim', escapeLineForTerminal(cut(showOnOneLine(params))))].join('\n');
}

type Messages = readonly { readonly role?: unknown; readonly content?: unknown }[];

/** A file part: in a response it is the part itself. */
interface FilePart {
  readonly file_data?: unknown;
  readonly filename?: unknown;
}

/** Texts, images and files of a message, each on separate lines. */
function renderParts(content: unknown): string {
  if (!Array.isArray(content)) return JSON.stringify(content);
  return content
    .map(
      (
        part:
          | (FilePart & { text?: unknown; image_url?: { url?: unknown; detail?: unknown } | string; detail?: unknown; file?: FilePart })
          | null,
      ) => {
        if (typeof part?.text === 'string') return part.text;
        const file = part?.file ?? part;
        if (file?.file_data !== undefined) return `[file ${file.filename}, ${file.file_data}]`;
        // In a chat completion an object, in a response only its URL.
        const image = typeof part?.image_url === 'string' ? { url: part.image_url, detail: part.detail } : part?.image_url;
        return image === undefined
          ? JSON.stringify(part)
          : `[image ${[image.url, image.detail].filter((word) => word !== undefined).join(', ')}]`;
      },
    )
    .join('\n');
}

/** With blanks, so that a terminal can break it between words. */
function showOnOneLine(value: unknown): string {
  return JSON.stringify(value, null, 1).replaceAll(/\n */g, ' ');
}

/** A schema can be long; its content is in the job file. */
const MAX_PARAMS_CHARACTERS = 200;

function cut(text: string): string {
  return text.length <= MAX_PARAMS_CHARACTERS ? text : `${text.slice(0, MAX_PARAMS_CHARACTERS)}…`;
}
