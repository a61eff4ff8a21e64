/** Why a text is not JSON, and the position of the first error. */
export interface JsonFault {
  readonly position: number;
  /** In words that contain nothing of the text. */
  readonly why: string;
}

type Expected = 'value' | 'value or ]' | 'key' | 'key or }' | 'colon' | 'comma' | 'end';

const MISSING: Readonly<Record<Expected, string>> = {
  value: 'expected a value',
  'value or ]': 'expected a value',
  key: 'expected a key in double quotes',
  'key or }': 'expected a key in double quotes',
  colon: 'expected a colon after the key',
  comma: 'expected a comma or the end after the value',
  end: 'unexpected text after its end',
};

const WORD = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[\da-fA-F]{4})/y;
const BLANKS = ' \t\r\n';

/** The first error in a text that is not JSON. @param text one that `JSON.parse` has rejected: its own message may quote the text */
export function findJsonFault(text: string): JsonFault {
  const open: ('{' | '[')[] = [];
  let expected: Expected = 'value';
  const afterValue = (): Expected => (open.length === 0 ? 'end' : 'comma');
  for (let at = 0; ; ) {
    while (at < text.length && BLANKS.includes(text[at] as string)) at += 1;
    const character = text[at];
    if (character === undefined) return { position: at, why: 'it ends too early' };
    const takesKey: boolean = expected === 'key' || expected === 'key or }';
    const takesValue: boolean = expected === 'value' || expected === 'value or ]';
    const closes = open.length > 0 && character === (open.at(-1) === '{' ? '}' : ']');
    if (character === '"' && (takesKey || takesValue)) {
      const string = passString(text, at);
      if (typeof string !== 'number') return string;
      at = string;
      expected = takesKey ? 'colon' : afterValue();
    } else if (closes && (expected === 'comma' || expected === 'value or ]' || expected === 'key or }')) {
      open.pop();
      at += 1;
      expected = afterValue();
    } else if (takesValue && (character === '{' || character === '[')) {
      open.push(character);
      at += 1;
      expected = character === '{' ? 'key or }' : 'value or ]';
    } else if (character === ':' && expected === 'colon') {
      at += 1;
      expected = 'value';
    } else if (character === ',' && expected === 'comma') {
      at += 1;
      expected = open.at(-1) === '{' ? 'key' : 'value';
    } else {
      const end = takesValue ? passWord(text, at) : at;
      if (end === at) return { position: at, why: MISSING[expected] };
      at = end;
      expected = afterValue();
    }
  }
}

/** @returns the end of the string that starts there */
function passString(text: string, start: number): number | JsonFault {
  for (let at = start + 1; at < text.length; at += 1) {
    const character = text[at] as string;
    if (character === '"') return at + 1;
    if (character < ' ') return { position: at, why: 'a control character in a string must be written as an escape like \\n' };
    if (character !== '\\') continue;
    ESCAPE.lastIndex = at;
    if (!ESCAPE.test(text)) return { position: at, why: 'a backslash that starts no escape' };
    at = ESCAPE.lastIndex - 1;
  }
  return { position: start, why: 'the string that starts here does not end' };
}

function passWord(text: string, start: number): number {
  WORD.lastIndex = start;
  return WORD.test(text) ? WORD.lastIndex : start;
}
