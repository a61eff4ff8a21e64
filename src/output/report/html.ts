/** A piece of HTML that is known to be safe: only `html` creates one. */
export interface Html {
  readonly html: string;
}

type Value = string | number | Html | readonly Html[] | null;

/**
 * Markup with values in it. Values that are not markup are escaped, so that text of rows, providers and files can be used between tags and in
 * quoted attributes without ever becoming markup; null is nothing.
 */
export function html(markup: TemplateStringsArray, ...values: readonly Value[]): Html {
  let text = markup[0] ?? '';
  values.forEach((value, place) => {
    text += showValue(value) + (markup[place + 1] ?? '');
  });
  return { html: text };
}

export const NOTHING: Html = { html: '' };

/** Pieces, one after the other. */
export function joinHtml(pieces: readonly Html[]): Html {
  return { html: pieces.map((piece) => piece.html).join('') };
}

function showValue(value: Value): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return escapeHtml(value);
  return 'html' in value ? value.html : joinHtml(value).html;
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
/** Markup, and what a browser would not show literally: control characters, and marks that change the reading order. */
const SPECIAL = /[&<>"']|(?![\n\t])\p{Cc}|[\u2028-\u202e\u2066-\u2069]/gu;

/** Text as HTML shows it; invisible characters are shown as `\u{1b}`, half a surrogate pair as the replacement character. */
export function escapeHtml(text: string): string {
  return text.toWellFormed().replace(SPECIAL, (character) => ENTITIES[character] ?? `\\u{${character.charCodeAt(0).toString(16)}}`);
}

/** A command, which may break before its flags but not inside them. */
export function renderCommand(command: string): Html {
  const parts = command.split(/ (?=-)/).map((part) => `<span>${escapeHtml(part)}</span>`);
  return { html: `<code class="cmd">${parts.join(' ')}</code>` };
}

/** A name, cut like by `clipHtml`, that may be broken after an underscore. */
export function renderName(name: string, bytes: number): Html {
  return { html: clipHtml(name, bytes).html.replaceAll('_', '_<wbr>') };
}

/** The beginning of a text whose escaped form has at most `bytes` bytes; an ellipsis shows that it was cut. */
export function clipHtml(text: string, bytes: number): Html {
  // Every character takes at least a byte: the rest cannot fit.
  const escaped = Buffer.from(escapeHtml(text.slice(0, Math.max(0, bytes))));
  if (text.length <= bytes && escaped.length <= bytes) return { html: escaped.toString() };
  let end = Math.max(0, Math.min(escaped.length, bytes - 3));
  // Not inside a character, and not inside an entity.
  while (end > 0 && ((escaped[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return { html: `${escaped.toString('utf8', 0, end).replace(/&[^;]*$/, '')}…` };
}
