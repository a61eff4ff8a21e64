import { type Context, createContext, Script } from 'node:vm';
import { WireError } from '../wire-error.ts';

/**
 * Makes a text that matches a regular expression, best effort: letters, classes, groups, alternatives and quantifiers are supported,
 * look-arounds and back-references are not. A text that already matches is kept.
 */
export function makeMatchingText(pattern: string, text: string): string {
  const isMatch = compile(pattern);
  if (isMatch === undefined || matchesInTime(isMatch, text)) return text;
  const made = readAlternatives({ pattern, index: 0 });
  return matchesInTime(isMatch, made) ? made : text;
}

/** The maximum a pattern may require, and how long matching may take: patterns are untrusted. */
const MOST_CHARACTERS = 100_000;
const MATCH_MS = 1_000;
/** Only a group that repeats can take long. */
const REPEATED_GROUP = /\)(?:[*+]|\{)/;

interface Cursor {
  readonly pattern: string;
  index: number;
}

function compile(pattern: string): RegExp | undefined {
  try {
    return new RegExp(pattern, 'u');
  } catch {
    return undefined;
  }
}

/** Made with the first expression that needs it: it takes as long as some rows. */
let made: { readonly context: Context; readonly match: Script } | undefined;

/** Backtracking may take forever; V8 interrupts an expression when its time is over. That counts as no match. */
function matchesInTime(pattern: RegExp, text: string): boolean {
  if (!REPEATED_GROUP.test(pattern.source) && text.length <= 1_000) return pattern.test(text);
  made ??= { context: createContext({}), match: new Script('pattern.test(text)') };
  const { context, match } = made;
  Object.assign(context, { pattern, text });
  try {
    return match.runInContext(context, { timeout: MATCH_MS }) === true;
  } catch {
    return false;
  }
}

/** Reads up to the closing bracket and returns the first alternative. */
function readAlternatives(cursor: Cursor): string {
  const alternatives = [readSequence(cursor)];
  while (cursor.pattern[cursor.index] === '|') {
    cursor.index += 1;
    alternatives.push(readSequence(cursor));
  }
  cursor.index += 1;
  return alternatives[0] ?? '';
}

function readSequence(cursor: Cursor): string {
  let made = '';
  while (cursor.index < cursor.pattern.length && !'|)'.includes(cursor.pattern[cursor.index] as string)) {
    const atom = readAtom(cursor);
    const count = readLeastCount(cursor);
    if (made.length + atom.length * count > MOST_CHARACTERS)
      throw new WireError(400, {
        message: 'Invalid schema for response_format: a pattern asks for too long a text.',
        param: 'response_format',
      });
    made += atom.repeat(count);
  }
  return made;
}

function readAtom(cursor: Cursor): string {
  const letter = cursor.pattern[cursor.index] as string;
  cursor.index += 1;
  if (letter === '^' || letter === '$') return '';
  if (letter === '.') return 'a';
  if (letter === '(') {
    const prefix = /^\?(?::|<[A-Za-z]\w*>)/.exec(cursor.pattern.slice(cursor.index));
    cursor.index += prefix?.[0].length ?? 0;
    return readAlternatives(cursor);
  }
  if (letter === '[') return readClass(cursor);
  if (letter !== '\\') return letter;
  const escaped = cursor.pattern[cursor.index] ?? '';
  cursor.index += 1;
  return { d: '1', w: 'a', s: ' ', D: 'a', W: '-', S: 'a', b: '', B: '', n: '\n', t: '\t' }[escaped] ?? escaped;
}

/** One member of a class: its first, or for a negated class the first of a few that it lets through. */
function readClass(cursor: Cursor): string {
  const end = cursor.pattern.indexOf(']', cursor.index + 1);
  const source = cursor.pattern.slice(cursor.index - 1, end + 1);
  cursor.index = end + 1;
  const members = compile(`^${source}$`);
  return [...'aA1 -_.x'].find((letter) => members?.test(letter)) ?? source[1] ?? '';
}

function readLeastCount(cursor: Cursor): number {
  const quantifier = /^(?:[*+?]|\{(\d+)(?:,\d*)?\})\??/.exec(cursor.pattern.slice(cursor.index));
  if (quantifier === null) return 1;
  cursor.index += quantifier[0].length;
  // `*` and `?` also allow one, which gives a fuller text than none.
  return quantifier[1] === undefined ? 1 : Number(quantifier[1]);
}
