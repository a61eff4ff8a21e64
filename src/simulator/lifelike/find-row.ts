/** What a prompt is about, apart from what it asks. */
export interface Row {
  /** The text itself: without instructions, without lines such as `Subject: …`. */
  readonly text: string;
  /** What such lines say, by their name in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly instructions: string;
}

/** Letters of a row that are read; more would not change what is said of it. */
const LONGEST_TEXT = 12_000;
/** How a line begins that asks for something. */
const ASKS =
  /\bjson\b|"[a-z_]+"|^\s*(?:rate|classify|label|summari[sz]e|extract|translate|assign|decide|correct|describe|write|read|reply|answer|return|choose|pick|categori[sz]e|tag|detect|identify|determine|give|you are|bewerte|ordne|fasse|klassifiziere|übersetze)\b/i;
const LISTS = /^\s*[-*•]\s|\bjson\b|"[a-z_]+"/i;
const HEADER =
  /^(subject|from|to|title|product|context|place|category|betreff|von|kontext|тема|от|контекст|件名|差出人|文脈|主题|发件人|上下文)[:：][ \t]*(.*)$/gim;
const HEADER_SIGN = /[:：]/;

/** Divides a prompt: the last message is the row, and of a single message what follows the lines that ask. */
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
  const own = body.trim();
  return { text: own === '' ? [...headers.values()].join('. ') : own, headers, instructions };
}
