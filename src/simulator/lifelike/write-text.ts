import type { Field } from '../answers/value-maker.ts';
import type { Meaning } from '../lexicon/meaning.ts';
import type { Sense } from '../lexicon/word-list.ts';
import type { Draft } from './draft.ts';
import { findField } from './find-fields.ts';
import { guessLanguage, nameLanguage } from './guess-language.ts';
import { findTasks, joinSentences, pickSentences, shorten } from './sentences.ts';
import { writeReply } from './write-reply.ts';

const LANGUAGE_CODE = /^(?:de|fr|ja|es|it|zh|ru|pt|nl|pl|ko|en|sv|da|fi|cs|tr|uk)$/;
const MOST_TASKS = 3;
const MOST_KEYWORDS = 3;
const STOP_WORD =
  /^(?:about|after|again|before|being|could|every|first|their|there|these|thing|those|though|three|until|where|which|while|would|should|nicht|haben|wurde|werden|meine|keine|diese|eines|einen|einer|immer|schon|когда|можно|после|очень|чтобы|только|почти)$/;

/** A text for a field, from the row, by the field's name. */
export function writeText(field: Field, draft: Draft): string {
  const name = readName(field);
  const found = findText(field, draft);
  if (found !== undefined) return found ?? FALLBACKS.find(([pattern]) => pattern.test(name))?.[1] ?? 'unknown';
  if (field.list !== undefined) return writeItem(field, name, draft);
  if (/lang/.test(name)) return guessLanguage(draft.row.text);
  if (LANGUAGE_CODE.test(name) || /translat/.test(name)) return translate(name, draft.row.text);
  if (/reason|explan|rational|evidence|why/.test(name)) return explain(draft);
  if (/repl(?:y|ies)|response|draft/.test(name)) return reply(draft);
  if (/correct|fixed|rewrit|clean|proofread/.test(name)) return draft.correction().corrected || 'No text';
  if (/headline|title|subject/.test(name)) return writeTitle(draft);
  if (/caption|alt(?:ernative)?_?(?:text)?$/.test(name)) return describePicture(draft);
  if (/sentiment|tone|mood/.test(name)) return draft.feeling();
  if (/keyword|tags/.test(name)) return findKeywords(draft).join(', ') || 'none';
  if (name === 'answer') return obey(draft);
  return summarize(draft, /one|single|short/.test(field.description ?? '') ? 1 : 2);
}

/** How many items a list of texts gets, by its name. */
export function countTexts(field: Field, draft: Draft): number {
  const name = readName(field);
  if (/position|line_?item|^items$|products/.test(name)) return draft.positions().length;
  if (/missing/.test(name)) return 0;
  if (/change|mistake|correction/.test(name)) return draft.correction().changes.length;
  if (TASKS.test(name)) return Math.min(MOST_TASKS, findTasks(draft.sentences(), draft.reading().cues).length);
  if (/keyword|tags|topics|entities|subjects/.test(name)) return Math.max(1, findKeywords(draft).length);
  return 1;
}

const TASKS = /action|task|todo|to_do|next|follow/;
const FALLBACKS: readonly (readonly [RegExp, string])[] = [
  [/email/, 'name@example.com'],
  [/url|link/, 'https://example.com/'],
  [/date/, '2026-01-15'],
  [/currency/, 'USD'],
];

/** What the row holds for a field that is read out of it; null where it holds nothing of the kind, undefined for fields that are written. */
export function findText(field: Field, draft: Draft): string | null | undefined {
  return field.list === undefined ? findField(readName(field), draft.row) : undefined;
}

/** The name without the number of its item. */
function readName({ name }: Field): string {
  return name.replace(/ \d+$/, '').toLowerCase();
}

function writeItem({ item, list = '' }: Field, name: string, draft: Draft): string {
  if (/position|line_?item|^items$|products/.test(list)) return draft.positions()[item]?.text ?? 'unknown';
  if (/change|mistake|correction/.test(list)) return draft.correction().changes[item] ?? 'unknown';
  if (TASKS.test(list)) return shorten(findTasks(draft.sentences(), draft.reading().cues)[item]?.text ?? 'unknown');
  if (/keyword|tags|topics|entities|subjects/.test(list)) return findKeywords(draft)[item] ?? (draft.row.text.slice(0, 20) || 'none');
  return shorten(pickSentences(draft.sentences(), item + 1, draft.reading().cues)[item]?.text ?? name);
}

function summarize(draft: Draft, most: number): string {
  const sentences = draft.sentences();
  const picked = sentences.length <= most ? sentences : pickSentences(sentences, most, draft.reading().cues);
  return joinSentences(picked) || 'No text';
}

function writeTitle({ row, sentences, reading }: Draft): string {
  const given = row.headers.get('subject') ?? row.headers.get('title');
  return given || shorten(pickSentences(sentences(), 1, reading().cues)[0]?.text.replace(/[.。]$/, '') ?? 'No text', 60);
}

function explain({ reading, lower }: Draft): string {
  const named = new Set(
    reading()
      .cues.filter(({ meaning }) => isTelling(meaning))
      .map(({ from, to }) => lower().slice(from, to)),
  );
  const [first, second] = named;
  if (first === undefined) return 'no word points to another answer';
  return second === undefined ? `mentions “${first}”` : `mentions “${first}” and “${second}”`;
}

/** Not what almost any text has. */
export function isOwnSubject(subject: Sense): boolean {
  return subject !== 'question' && subject !== 'task';
}

function isTelling({ subjects, feeling }: Meaning): boolean {
  return feeling !== 0 || subjects.some(isOwnSubject);
}

function reply({ row, reading }: Draft): string {
  return writeReply(guessLanguage(row.text), reading().subjects);
}

/** Nobody here knows other languages: the text with the language it should be in. */
function translate(name: string, text: string): string {
  if (name === guessLanguage(text)) return text;
  return `[${LANGUAGE_CODE.test(name) ? name : 'translated'}] ${text}`;
}

function describePicture({ row }: Draft): string {
  const place = row.headers.get('place') ?? row.text;
  return place === '' || place.length > 60 ? 'A picture' : `A picture: ${place}`;
}

/** Words that carry the text: those that name a subject, then long ones. */
function findKeywords({ reading, lower }: Draft): readonly string[] {
  const subjects = reading().cues.filter(({ meaning }) => meaning.subjects.some(isOwnSubject));
  const words = subjects.map(({ from, to }) => lower().slice(from, to));
  if (words.length < MOST_KEYWORDS)
    words.push(...(lower().match(/(?<![\p{L}'])[a-zà-öø-ÿа-яё]{5,20}(?!\p{L})/gu) ?? []).filter((word) => !STOP_WORD.test(word)));
  return [...new Set(words)].slice(0, MOST_KEYWORDS);
}

/** A plain answer to a prompt without a format, by what it asks for. */
function obey(draft: Draft): string {
  const { instructions, row } = draft;
  if (/translat|übersetz/i.test(instructions)) {
    const target = /\b(?:to|into|auf|in[s]?)\s+(\p{Lu}\p{L}+)/u.exec(instructions)?.[1];
    return `[${target ?? 'translated'}] ${row.text}`;
  }
  if (/\b(?:reply|respond|draft)\b/i.test(instructions) && !/summar/i.test(instructions)) return reply(draft);
  if (/correct|grammar|proofread/i.test(instructions)) return draft.correction().corrected || 'No text';
  if (/which language|detect the language/i.test(instructions)) return nameLanguage(guessLanguage(row.text));
  if (/sentiment/i.test(instructions) && !/summar/i.test(instructions)) return draft.feeling();
  if (/keyword|tags/i.test(instructions)) return findKeywords(draft).join(', ') || 'none';
  if (/headline|title/i.test(instructions)) return writeTitle(draft);
  return summarize(draft, 2);
}
