import { createRequire } from 'node:module';
import { CHECK_MS, doInTime } from './time-limit.ts';

/** A user's regular expression, in the syntax of JSON Schema (ECMA-262 with the flag `u`). */
export interface LinearPattern {
  /** @throws PatternTimeError if it could not be decided in time */
  test(text: string): boolean;
}

/** An expression that needs backtracking did not finish in time: the answer is invalid, and the program goes on. */
export class PatternTimeError extends Error {
  constructor(source: string) {
    super(`it could not be checked against the pattern ${source} within ${CHECK_MS} ms`);
    this.name = 'PatternTimeError';
  }
}

const require = createRequire(import.meta.url);

/**
 * Compiles an expression so that no text can keep it busy: with RE2, in time linear in the text, else (lookaround, back references, long counts) with
 * the JavaScript engine and a time limit, which V8 enforces within an expression too.
 * @throws SyntaxError if it is not an expression
 */
export function compilePattern(source: string, flags: string): LinearPattern {
  const pattern = new RegExp(source, flags);
  const linear = translatePattern(source);
  if (linear !== null) {
    const { RE2JS } = require('re2js') as typeof import('re2js');
    try {
      const compiled = RE2JS.compile(RE2JS.translateRegExp(linear));
      return { test: (text) => compiled.matcher(text).find() };
    } catch {
      // Not in the syntax of RE2, which never looks at a character twice.
    }
  }
  return { test: (text) => testInTime(pattern, text) };
}

function testInTime(pattern: RegExp, text: string): boolean {
  try {
    return doInTime(() => pattern.test(text));
  } catch (cause) {
    throw Object.assign(new PatternTimeError(pattern.source), { cause });
  }
}

/** White space and line ends of ECMA-262; RE2 knows only those of ASCII. */
const SPACES = '\\t\\n\\v\\f\\r \\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}';
const NOT_LINE_END = '[^\\n\\r\\x{2028}\\x{2029}]';

/** The same expression with everything spelled out that RE2 interprets differently; null if that is impossible. */
function translatePattern(source: string): string | null {
  let isInClass = false;
  let translated = '';
  for (const [token] of source.matchAll(/\\[\s\S]|[\s\S]/gu)) {
    if (token === '\\S' && isInClass) return null;
    // A bracket that does not close its class would open one within it.
    if (token === '[' && isInClass) translated += '\\[';
    else if (token === '\\s') translated += isInClass ? SPACES : `[${SPACES}]`;
    else if (token === '\\S') translated += `[^${SPACES}]`;
    else if (token === '.' && !isInClass) translated += NOT_LINE_END;
    else translated += token;
    if (token === '[') isInClass = true;
    if (token === ']') isInClass = false;
  }
  return translated;
}
