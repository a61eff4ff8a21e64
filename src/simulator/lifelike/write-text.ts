import type { Field } from '../answers/value-maker.ts';
import type { Meaning } from '../lexicon/meaning.ts';
import type { Sense } from '../lexicon/word-list.ts';
import { createChooser } from './choose-by-name.ts';
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

type Writer = (draft: Draft, field: Field) => string;

const WRITERS = createChooser<Writer>([
  [/lang/, ({ row }) => guessLanguage(row.text)],
  [LANGUAGE_CODE, ({ row }, { name }) => translate(name.toLowerCase(), row.text)],
  [/translat/, ({ row }) => translate('translated', row.text)],
  [/reason|explan|rational|evidence|why/, explain],
  [/repl(?:y|ies)|response|draft/, reply],
  [/correct|fixed|rewrit|clean|proofread/, ({ correction }) => correction().corrected || 'No text'],
  [/headline|title|subject/, writeTitle],
  [/caption|alt(?:ernative)?_?(?:text)?$/, describePicture],
  [/sentiment|tone|mood/, (draft) => draft.feeling()],
  [/keyword|tags/, (draft) => findKeywords(draft).join(', ') || 'none'],
  [/^answer$/, obey],
  [/summar|abstract|gist|tl_?dr|descri|text|content|comment|note|overview|analysis|message|quote/, writeSummary],
]);

/** A text for a field, from the row, by the field's name; a few words if the name is unknown. */
export function writeText(field: Field, draft: Draft): string {
  const name = readName(field);
  const found = findText(field, draft);
  if (found !== undefined) return found ?? FALLBACKS(name) ?? 'unknown';
  if (field.list !== undefined) return writeItem(field, name, draft);
  const write = WRITERS(name) ?? (/sentence|summar|explain|describe/.test(field.description ?? '') ? writeSummary : writeWord);
  return write(draft, field);
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
const FALLBACKS = createChooser<string>([
  [/email/, 'name@example.com'],
  [/url|link/, 'https://example.com/'],
  [/date/, '2026-01-15'],
  [/currency/, 'USD'],
]);

/** The row's value for a field that is extracted from it; null if it has none, undefined for fields that are written. */
export function findText(field: Field, draft: Draft): string | null | undefined {
  return field.list === undefined ? findField(readName(field), draft.row) : undefined;
}

/** The name without the number of its item. */
function readName({ name }: Field): string {
  return (/\d$/.test(name) ? name.replace(/ \d+$/, '') : name).toLowerCase();
}

function writeItem({ item, list = '' }: Field, name: string, draft: Draft): string {
  if (/position|line_?item|^items$|products/.test(list)) return draft.positions()[item]?.text ?? 'unknown';
  if (/change|mistake|correction/.test(list)) return draft.correction().changes[item] ?? 'unknown';
  if (TASKS.test(list)) return shorten(findTasks(draft.sentences(), draft.reading().cues)[item]?.text ?? 'unknown');
  if (/keyword|tags|topics|entities|subjects/.test(list)) return findKeywords(draft)[item] ?? (draft.row.text.slice(0, 20) || 'none');
  return shorten(pickSentences(draft.sentences(), item + 1, draft.reading().cues)[item]?.text ?? name);
}

function writeSummary(draft: Draft, { description = '' }: Field): string {
  return summarize(draft, /\b(?:one|single|short)\b/.test(description) ? 1 : 2);
}

function writeWord(draft: Draft): string {
  return findKeywords(draft)[0] ?? (draft.row.text.split(/\s+/, 4).join(' ').slice(0, 40) || 'none');
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

/** Other languages are not known here: the text, marked with the target language. */
function translate(name: string, text: string): string {
  if (name === guessLanguage(text)) return text;
  return `[${name}] ${text}`;
}

function describePicture({ row }: Draft): string {
  const place = row.headers.get('place') ?? row.text;
  return place === '' || place.length > 60 ? 'A picture' : `A picture: ${place}`;
}

/** Key words of the text: those of a subject, then long ones. */
function findKeywords({ reading, lower }: Draft): readonly string[] {
  const subjects = reading().cues.filter(({ meaning }) => meaning.subjects.some(isOwnSubject));
  const words = subjects.map(({ from, to }) => lower().slice(from, to));
  if (words.length < MOST_KEYWORDS)
    words.push(...(lower().match(/(?<![\p{L}'])[a-zà-öø-ÿа-яё]{5,20}(?!\p{L})/gu) ?? []).filter((word) => !STOP_WORD.test(word)));
  return [...new Set(words)].slice(0, MOST_KEYWORDS);
}

/** A plain answer to a prompt without a format, by its question. */
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
