import { escapeForTerminal, escapeLineForTerminal } from '../../output/escape-for-terminal.ts';
import { formatThings } from '../../output/format-numbers.ts';
import type { Paint } from './paint.ts';

/** How much of a prompt is shown, all messages together, and the command that shows all of it. */
export interface Excerpt {
  readonly lines: number;
  readonly characters: number;
  readonly whole: string;
}

/** Enough to see what is asked, with room on the screen for the figures. */
const SHOWN_LINES = 12;
const SHOWN_CHARACTERS = 800;

/** @param whole the command that shows the whole prompt */
export function makeExcerpt(whole: string): Excerpt {
  return { lines: SHOWN_LINES, characters: SHOWN_CHARACTERS, whole };
}

/** The prompt of a request's body in readable form; parameters on one line below. @param excerpt null shows all of it */
export function renderPrompt(request: unknown, paint: Paint, excerpt: Excerpt | null = null): string {
  const { messages: chat, input, ...params } = request as { readonly messages?: Messages; readonly input?: Messages | string };
  const messages = typeof input === 'string' ? [{ role: 'input', content: input }] : (chat ?? input ?? []);
  const texts = messages.map(({ content }) => (typeof content === 'string' ? content : renderParts(content)).trimEnd());
  const shown = excerpt === null ? texts : cutTexts(texts, excerpt);
  const lines = messages.flatMap(({ role }, index) => {
    const text = shown[index] ?? '';
    const mark = text.length < (texts[index] ?? '').length ? ' …' : '';
    const [first = '', ...rest] = `${escapeForTerminal(text)}${mark}`.split('\n');
    return [`${paint('dim', `${escapeLineForTerminal(String(role))}:`)} ${first}`, ...rest.map((line) => `  ${line}`)];
  });
  const count = (all: readonly string[]) => all.reduce((sum, { length }) => sum + length, 0);
  const left = count(texts) - count(shown);
  const more = excerpt === null || left === 0 ? [] : [`… ${formatThings(left, 'more character')}; the whole prompt: ${excerpt.whole}`];
  return [
    ...lines,
    ...[...more, excerpt === null ? showOnOneLine(params) : cut(showOnOneLine(params))].map((line) =>
      paint('dim', escapeLineForTerminal(line)),
    ),
  ].join('\n');
}

/** The beginnings of the texts that together fit an excerpt; short texts are kept whole, so that each of them is seen. */
function cutTexts(texts: readonly string[], { lines, characters }: Excerpt): readonly string[] {
  const mostLines = findShare(
    texts.map((text) => text.split('\n').length),
    lines,
  );
  const short = texts.map((text) => text.split('\n').slice(0, mostLines).join('\n').trimEnd());
  const mostCharacters = findShare(
    short.map(({ length }) => length),
    characters,
  );
  // No half of a character that takes two.
  return short.map((text) =>
    text
      .slice(0, mostCharacters)
      .replace(/[\ud800-\udbff]$/, '')
      .trimEnd(),
  );
}

/** The largest share for each so that all together stay within `total`; at least 1. */
function findShare(wanted: readonly number[], total: number): number {
  let left = total;
  for (const [index, want] of wanted.toSorted((a, b) => a - b).entries()) {
    const share = Math.max(1, Math.floor(left / (wanted.length - index)));
    if (want > share) return share;
    left -= want;
  }
  return Number.POSITIVE_INFINITY;
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
