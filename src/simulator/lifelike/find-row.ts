/** The content of a prompt, apart from its question. */
export interface Row {
  /** The text itself: without instructions, without lines such as `Subject: …`. */
  readonly text: string;
  /** The content of such lines, by their name in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly instructions: string;
}

/** Letters of a row that are read; more would not change the answer. */
const LONGEST_TEXT = 12_000;
/** The start of a line with a question or instruction. */
const ASKS =
  /\bjson\b|"[a-z_]+"|^\s*(?:rate|classify|label|summari[sz]e|extract|translate|assign|decide|correct|describe|write|read|reply|answer|return|choose|pick|categori[sz]e|tag|detect|identify|determine|give|you are|bewerte|ordne|fasse|klassifiziere|übersetze)\b/i;
const LISTS = /^\s*[-*•]\s|\bjson\b|"[a-z_]+"/i;
const HEADER =
  /^(subject|from|to|title|product|context|place|category|betreff|von|kontext|тема|от|контекст|件名|差出人|文脈|主题|发件人|上下文)[:：][ \t]*(.*)$/gim;
/** Names of columns that a prompt may put before the text itself. */
const TEXT_NAME = /^(?:body|text|message|review(?: text)?|comment|content|description|ticket|question)[:：][ \t]*/gim;
const HEADER_SIGN = /[:：]/;

/** Splits a prompt: the last message is the row; in a single message, the part after the instructions. */
export function findRow(texts: readonly string[]): Row {
  const last = (texts.at(-1) ?? '').slice(0, LONGEST_TEXT);
  if (texts.length > 1) return readHeaders(last, texts.slice(0, -1).join('\n'));
  const [instructions, text] = cutInstructions(last);
  return readHeaders(text, instructions);
}

function cutInstructions(prompt: string): readonly [string, string] {
  const lines = prompt.split('\n');
  let count = 0;
  while (count < lines.length && (count === 0 ? ASKS : LISTS).test(lines[count] as string)) count += 1;
  while (count > 0 && count < lines.length && lines[count]?.trim() === '') count += 1;
  const rest = lines.slice(count).join('\n');
  if (count > 0 && rest.trim() !== '') return [lines.slice(0, count).join('\n'), rest];
  const colon = ASKS.test(prompt) ? prompt.indexOf(': ') : -1;
  return colon < 0 ? ['', prompt] : [prompt.slice(0, colon), prompt.slice(colon + 2)];
}

function readHeaders(text: string, instructions: string): Row {
  if (!HEADER_SIGN.test(text)) return { text: text.trim(), headers: new Map(), instructions };
  const headers = new Map<string, string>();
  const body = text.replace(HEADER, (_, name: string, value: string) => {
    headers.set(name.toLowerCase(), value.trim());
    return '';
  });
  const own = body.replace(TEXT_NAME, '').trim();
  return { text: own === '' ? [...headers.values()].join('. ') : own, headers, instructions };
}
