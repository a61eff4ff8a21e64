import type { Field, ValueMaker } from './value-maker.ts';

/** Instructions that leave no choice but a word they name. */
const ASKS_FOR_LABEL = /\b(?:exactly|only) one (?:label|category|class|word)\b/i;
const QUOTED_NAME = /(:\s*)?"([A-Za-z_]\w{0,39})"/g;

/**
 * The answer in JSON mode, where no schema is on the wire: the double-quoted identifiers of the first prompt line that has any become the
 * keys. A quoted word right after a colon is an example value, not a key.
 */
export function makeJsonModeAnswer(texts: readonly string[], maker: ValueMaker): Readonly<Record<string, unknown>> {
  const keys = readKeys(texts);
  if (keys.length === 0) return { answer: maker.text(fieldOf('answer')) };
  return Object.fromEntries(keys.map((key) => [key, makeField(key, texts, maker)]));
}

/** The answer in plain text to a prompt that offers words and wants one of them (`exactly one label`); null to any other prompt. */
export function makeLabelAnswer([instructions = '']: readonly string[], maker: ValueMaker): string | null {
  const words = ASKS_FOR_LABEL.test(instructions) ? readEnumeratedWords([instructions]) : [];
  return words.length > 1 ? String(maker.choose(words, fieldOf('answer'))) : null;
}

function readKeys(texts: readonly string[]): readonly string[] {
  for (const text of texts) {
    for (const line of text.split('\n')) {
      const names = [...line.matchAll(QUOTED_NAME)].filter((match) => match[1] === undefined).map((match) => match[2] as string);
      if (names.length > 0) return [...new Set(names)];
    }
  }
  return [];
}

const fieldOf = (name: string): Field => ({ name, item: 0 });

function makeField(key: string, texts: readonly string[], maker: ValueMaker): unknown {
  const name = key.toLowerCase();
  const field = fieldOf(key);
  if (/^(is|has|should|needs|can)_|urgent|flag$/.test(name)) return maker.boolean(field);
  if (/sentiment|tone|mood/.test(name)) return maker.sentiment();
  if (/score|polarity|valence/.test(name)) return maker.number(field, { minimum: -1, maximum: 1, isInteger: false });
  if (/confidence|probability|certainty/.test(name)) return maker.number(field, { minimum: 0, maximum: 1, isInteger: false });
  if (/rating|stars/.test(name)) return maker.number(field, { minimum: 1, maximum: 5, isInteger: true });
  if (/count|number|age|year|quantity/.test(name)) return maker.number(field, { minimum: 0, maximum: 10, isInteger: true });
  if (/label|category|class|intent|topic|type/.test(name)) {
    const words = readEnumeratedWords(texts);
    return words.length > 0 ? maker.choose(words, field) : maker.text(field);
  }
  if (/items|tags|keywords|list|labels|steps/.test(name))
    return Array.from({ length: maker.countItems(field, undefined) }, (_, item) => maker.text({ ...field, item, list: key }));
  return maker.text(field);
}

/** The words a prompt offers: a list of `- word: meaning` lines, `a|b|c`, `a/b/c`, or `a, b or c`. */
function readEnumeratedWords(texts: readonly string[]): readonly string[] {
  const prompt = texts.join('\n').slice(0, 10_000);
  const listed = [...prompt.matchAll(/^\s*[-*•]\s*["'`]?([\w-]{1,40})["'`]?\s*(?::|$)/gm)].map((match) => match[1] as string);
  if (listed.length > 1) return listed;
  const barred = /["'`]?[\w-]{1,40}["'`]?(?:\s*[|/]\s*["'`]?[\w-]{1,40}["'`]?)+/.exec(prompt)?.[0].split(/[|/]/);
  const spoken = /[\w-]{1,40}(?:, [\w-]{1,40})+,? (?:or|and) [\w-]{1,40}/.exec(prompt)?.[0].split(/,? (?:or|and) |, /);
  return (barred ?? spoken ?? []).map((word) => word.replaceAll(/["'`\s]/g, ''));
}
