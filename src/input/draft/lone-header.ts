import { type Asked, isTemplate } from './asked.ts';
import type { TableSample } from './sample-table.ts';

/** Words that name a column of a table more often than they are a row of it. */
const COLUMN_WORDS = new RegExp(
  `^(${[
    'texts?|comments?|reviews?|messages?|titles?|names?|descriptions?|contents?|bod(y|ies)|questions?|answers?|prompts?|inputs?|outputs?|sentences?',
    'feedback|tweets?|posts?|e-?mails?|subjects?|summar(y|ies)|notes?|quer(y|ies)|urls?|links?|ids?|keys?|words?|terms?|keywords?|products?|items?',
    'categor(y|ies)|labels?|topics?|documents?|abstracts?|headlines?|transcripts?|utterances?|values?|data|columns?|fields?|opinions?|reasons?|requests?',
    'kommentare?|bewertung(en)?|rezension(en)?|nachrichten?|titel|beschreibung(en)?|inhalte?|fragen?|antwort(en)?|betreff|anmerkung(en)?|bemerkung(en)?',
    'freitext|texte?|meinung(en)?|commentaires?|avis|titres?|noms?|contenus?|réponses?|textos?|comentarios?|comentários?|reseñas?|títulos?|nombres?',
    'mensajes?|preguntas?|opini[oó]n|descripci[oó]n|testo|commento|recensione|titolo|nome|descrizione|messaggio',
    'テキスト|コメント|感想|レビュー|本文|タイトル|内容|文本|评论|标题',
  ].join('|')})$`,
  'iu',
);
const FEW_WORDS = 2;

/**
 * Says in the form of a drafted job that the first line is the header, where that is a guess: a single column whose name could as well be its first
 * row. A prompt that uses the name has agreed to it.
 */
export function stateLoneHeader(sample: TableSample, { prompt }: Pick<Asked, 'prompt'>): TableSample {
  const { form, format, columns } = sample;
  const [name = ''] = columns;
  const isText = format === 'csv' || format === 'tsv';
  if (!isText || columns.length !== 1 || form.columns !== null || isColumnName(name) || isTemplate(prompt)) return sample;
  return { ...sample, form: { ...form, hasHeader: true } };
}

/** Identifiers, and a usual name with at most one word before or after it. */
export function isColumnName(name: string): boolean {
  const words = name.trim().split(/[\s.-]+/);
  return /^$|_|\p{Ll}\p{Lu}/u.test(name.trim()) || (words.length <= FEW_WORDS && words.some((word) => COLUMN_WORDS.test(word)));
}
