import type { Evidence } from './evidence.ts';
import { chooseValue } from './evidence.ts';
import { makeBoolean, makeNumber, makeText, nameSentiment } from './field-values.ts';

/** Instructions that leave no choice but a word they name. */
const ASKS_FOR_LABEL = /\b(?:exactly|only) one (?:label|category|class|word)\b/i;
const QUOTED_NAME = /(:\s*)?"([A-Za-z_]\w{0,39})"/g;

/**
 * The answer in JSON mode, where no schema is on the wire: the double-quoted identifiers of the first prompt line that has any become the
 * keys. A quoted word right after a colon is an example value, not a key.
 */
export function makeJsonModeAnswer(texts: readonly string[], evidence: Evidence): Readonly<Record<string, unknown>> {
  const keys = readKeys(texts);
  if (keys.length === 0) return { answer: makeText('answer', evidence) };
  return Object.fromEntries(keys.map((key) => [key, makeField(key, texts, evidence)]));
}

/** The answer in plain text to a prompt that offers words and wants one of them (`exactly one label`); null to any other prompt. */
export function makeLabelAnswer([instructions = '']: readonly string[], evidence: Evidence): string | null {
  const words = ASKS_FOR_LABEL.test(instructions) ? readEnumeratedWords([instructions]) : [];
  return words.length > 1 ? String(chooseValue(words, evidence, 'answer')) : null;
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

function makeField(key: string, texts: readonly string[], evidence: Evidence): unknown {
  const field = key.toLowerCase();
  if (/^(is|has|should|needs|can)_|urgent|flag$/.test(field)) return makeBoolean(key, evidence);
  if (/sentiment|tone|mood/.test(field)) return nameSentiment(evidence);
  if (/score|polarity|valence/.test(field)) return makeNumber(key, { minimum: -1, maximum: 1, isInteger: false }, evidence);
  if (/confidence|probability|certainty/.test(field)) return makeNumber(key, { minimum: 0, maximum: 1, isInteger: false }, evidence);
  if (/rating|stars/.test(field)) return makeNumber(key, { minimum: 1, maximum: 5, isInteger: true }, evidence);
  if (/count|number|age|year|quantity/.test(field)) return makeNumber(key, { minimum: 0, maximum: 10, isInteger: true }, evidence);
  if (/label|category|class|intent|topic|type/.test(field)) {
    const words = readEnumeratedWords(texts);
    return words.length > 0 ? chooseValue(words, evidence, key) : makeText(key, evidence);
  }
  if (/items|tags|keywords|list|labels|steps/.test(field)) return [makeText(key, evidence)];
  return makeText(key, evidence);
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
