import { type NumberBounds, placeNumber } from '../answers/value-maker.ts';
import type { Evidence } from './evidence.ts';
import { readSentiment, readWords } from './evidence.ts';

/** A plausible text for a field of that name: the first words of the row for a summary, a language code for a language. */
export function makeText(name: string, evidence: Evidence): string {
  const field = name.toLowerCase();
  const opening = takeWords(evidence.text, 12);
  if (/lang/.test(field)) return guessLanguage(evidence.text);
  if (/summar|abstract|gist|tl_?dr|headline|title|subject|topic|answer|text|description|content/.test(field)) return opening || 'No text';
  if (/reason|explan|rational|evidence|quote|why/.test(field))
    return opening === '' ? 'Nothing was said' : `The text says: ${takeWords(evidence.text, 8)}`;
  if (/email/.test(field)) return 'name@example.com';
  if (/url|link/.test(field)) return 'https://example.com/';
  if (/date/.test(field)) return '2026-01-15';
  if (/currency/.test(field)) return 'USD';
  if (/country/.test(field)) return 'DE';
  if (/sentiment|tone|mood/.test(field)) return nameSentiment(evidence);
  return takeWords(evidence.text, 4) || 'none';
}

/** A number for a field of that name within its bounds: sentiment follows the words, confidence is at least one half, the rest is drawn. */
export function makeNumber(name: string, bounds: NumberBounds, evidence: Evidence): number {
  const field = name.toLowerCase();
  const share = /sentiment|score|polarity|rating|stars|valence/.test(field)
    ? (readSentiment(evidence) + 1) / 2
    : /confiden|certain|probab/.test(field)
      ? 0.5 + evidence.draw(name) / 2
      : evidence.draw(name);
  return placeNumber(share, bounds);
}

/** True if the row mentions what the field is named after (`urgent`, `mentions_refund`). */
export function makeBoolean(name: string, evidence: Evidence): boolean {
  if (/urgent/i.test(name) && /urgent|asap|immediately|right away|emergency/i.test(evidence.text)) return true;
  return readWords(name.replaceAll('_', ' ')).some((word) => word.length > 3 && evidence.words.has(word));
}

/** `positive`, `negative` or `neutral`, by the words of the row. */
export function nameSentiment(evidence: Evidence): 'positive' | 'negative' | 'neutral' {
  const sentiment = readSentiment(evidence);
  return sentiment > 0 ? 'positive' : sentiment < 0 ? 'negative' : 'neutral';
}

/** The first words of a text on one line; text without spaces between words is cut by letters. */
function takeWords(text: string, count: number): string {
  const words = text
    .slice(0, 40 * count)
    .split(/\s+/)
    .filter(Boolean)
    .slice(0, count)
    .join(' ');
  return words.length > 12 * count ? [...words].slice(0, 4 * count).join('') : words;
}

function guessLanguage(text: string): string {
  if (/[\u3040-\u30ff]/.test(text)) return 'ja';
  if (/[\u4e00-\u9fff]/.test(text)) return 'zh';
  if (/[\u0400-\u04ff]/.test(text)) return 'ru';
  if (/[\uac00-\ud7af]/.test(text)) return 'ko';
  if (/[\u0600-\u06ff]/.test(text)) return 'ar';
  if (/[\u1200-\u137f]/.test(text)) return 'am';
  return /[äöüß]|\b(und|nicht|der|die|das)\b/i.test(text) ? 'de' : 'en';
}
