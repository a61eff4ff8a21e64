import type { SplitSpec } from '../../core/job.ts';

/** Where a text is best cut, best first: after a paragraph, a line, a sentence, a word. */
const SEAMS = [/\n\s*\n/g, /\n/g, /[.!?…]["'”’)]*\s+|[。！？]/g, /\s+/g];
/** A cut is looked for in the last part of what fits. */
const SEARCHED_SHARE = 0.3;

/**
 * Cuts a text into parts of at most this many tokens, if possible at the end of a paragraph, a line, a sentence or a word; a part begins `overlap` tokens
 * before the end of the previous one. Without overlap the parts are the text. Tokens are estimated from the characters alone, the same for every model
 * and version, because the text of a part must not change.
 */
export function splitText(text: string, { tokens, overlap }: Pick<SplitSpec, 'tokens' | 'overlap'>): readonly string[] {
  const parts: string[] = [];
  for (let start = 0; ; ) {
    const limit = measure(text, start, tokens);
    if (limit >= text.length) return [...parts, text.slice(start)];
    const end = findSeam(text, start, limit);
    parts.push(text.slice(start, end));
    start = overlap === 0 ? end : Math.max(start + 1, stepBack(text, end, overlap));
  }
}

/** In quarters of a token: four plain characters are one token, two of other alphabets, one of Chinese and similar; characters of two UTF-16 units count twice. */
function weigh(code: number): number {
  if (code < 0x80) return 1;
  return code < 0x0b00 ? 2 : 4;
}

/** How far this many tokens reach, at least one character. */
function measure(text: string, start: number, tokens: number): number {
  let left = tokens * 4;
  let at = start;
  while (at < text.length) {
    left -= weigh(text.charCodeAt(at));
    if (left < 0) break;
    at += 1;
  }
  const whole = keepWhole(text, at);
  return whole > start ? whole : keepPair(text, Math.max(at, start + 1), 1);
}

function findSeam(text: string, start: number, limit: number): number {
  const from = start + Math.ceil((limit - start) * (1 - SEARCHED_SHARE));
  const searched = text.slice(from, limit);
  for (const seam of SEAMS) {
    const last = [...searched.matchAll(seam)].at(-1);
    if (last !== undefined) return from + last.index + last[0].length;
  }
  return limit;
}

/** This many tokens before `end`, at the start of a word if there is one. */
function stepBack(text: string, end: number, tokens: number): number {
  let left = tokens * 4;
  let at = end;
  while (at > 0) {
    left -= weigh(text.charCodeAt(at - 1));
    if (left < 0) break;
    at -= 1;
  }
  const word = /\s+/.exec(text.slice(at, end));
  return keepWhole(text, word === null ? at : at + word.index + word[0].length);
}

/** Characters that belong to the one before: marks, skin tones of emoji, and joined characters. Fixed ranges, not a table that depends on the version of Node. */
const GOING_ON: readonly (readonly [first: number, last: number])[] = [
  [0x300, 0x36f],
  [0x900, 0x903],
  [0x93a, 0x94f],
  [0xe31, 0xe31],
  [0xe34, 0xe3a],
  [0xe47, 0xe4e],
  [0x200d, 0x200d],
  [0x3099, 0x309a],
  [0xfe00, 0xfe0f],
  [0x1f3fb, 0x1f3ff],
];
const JOINER = '\u200d';
/** Letters that form a flag in pairs, at the end. */
const FLAGS = /(?:\ud83c[\udde6-\uddff])+$/;
const FLAG_UNITS = 4;
/** A cut is moved back no further than this: endless marks are not a character. */
const MOST_MOVES = 32;

/** A character is never cut from its marks and what is joined to it: the cut is moved back. */
function keepWhole(text: string, at: number): number {
  let kept = keepPair(text, at, -1);
  for (let moves = 0; moves < MOST_MOVES && kept > 0 && kept < text.length; moves++) {
    if (!goesOn(text.codePointAt(kept) ?? 0) && text[kept - 1] !== JOINER && !isWithinFlag(text, kept)) return kept;
    kept = keepPair(text, kept - 1, -1);
  }
  return keepPair(text, at, -1);
}

function goesOn(code: number): boolean {
  return GOING_ON.some(([first, last]) => code >= first && code <= last);
}

function isWithinFlag(text: string, at: number): boolean {
  const isLetter = FLAGS.test(text.slice(at, at + 2));
  const before = isLetter ? (FLAGS.exec(text.slice(Math.max(0, at - MOST_MOVES * FLAG_UNITS), at))?.[0].length ?? 0) : 0;
  return before % FLAG_UNITS !== 0;
}

function keepPair(text: string, at: number, step: 1 | -1): number {
  const isWithin = /[\ud800-\udbff]/.test(text[at - 1] ?? '') && /[\udc00-\udfff]/.test(text[at] ?? '');
  return isWithin ? at + step : at;
}
