import { cutDefinitions, type Defined } from './cut-definitions.ts';

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
/** The same for a further one. */
const ASKS_AGAIN = /\b(?:labels?|categor(?:y|ies)|classes|topics?|definitions?|one of|exactly one|following)\b/i;
/** How instructions continue after a row. */
const ENDS_ASKING = /^\s*(?:answer|reply|respond|return|choose|pick|use|output|only|give only|label|classify)\b/i;
const LISTS = /^\s*[-*•]\s|\bjson\b|"[a-z_]+"/i;
const HEADER =
  /^(subject|from|to|title|product|context|place|category|betreff|von|kontext|тема|от|контекст|件名|差出人|文脈|主题|发件人|上下文)[:：][ \t]*(.*)$/gim;
/** Names of columns that a prompt may put before the text itself. */
const TEXT_NAME = /^(?:body|text|message|review(?: text)?|comment|content|description|ticket|question)[:：][ \t]*/gim;
const HEADER_SIGN = /[:：]/;

/**
 * Splits a prompt: the last message is the row; in a single message, what is neither instruction nor the definition of a label.
 * @param labels those of the requested schema
 */
export function findRow(texts: readonly string[], labels: readonly string[] = []): Row {
  const last = (texts.at(-1) ?? '').slice(0, LONGEST_TEXT);
  if (texts.length > 1) return readHeaders(last, texts.slice(0, -1).join('\n'));
  const defined = cutDefinitions(last, labels);
  if (defined.definitions !== '') return readDefined(defined);
  const [instructions, text] = cutInstructions(last);
  return readHeaders(text, instructions);
}

/** The row is before or after the definitions, or, without a full stop, within the last of them; if there are two candidates, both are read. */
function readDefined({ before, definitions, last, after }: Defined): Row {
  const [instructions, text] = cutAsking(before);
  const isAbove = text.trim() !== '' && (after.trim() === '' || ENDS_ASKING.test(after));
  const rows = (isAbove ? [text] : [text, after]).filter((part) => part.trim() !== '');
  return readHeaders(rows.length === 0 ? last : rows.join('\n'), [instructions, definitions, ...(isAbove ? [after] : [])].join('\n'));
}

/** The opening sentences of a prompt that request something or announce a list, and the rest. */
function cutAsking(text: string): readonly [string, string] {
  const sentences = text.split(/(?<=[.!?:])\s+|\n/);
  const first = sentences.findIndex((sentence, index) => !(index === 0 ? ASKS : ASKS_AGAIN).test(sentence) && sentence.trim() !== '');
  return first < 0 ? [text, ''] : [sentences.slice(0, first).join('\n'), sentences.slice(first).join('\n')];
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
