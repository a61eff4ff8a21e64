import { clip } from '../core/bounds/clip.ts';

/** The content of a refusal, whatever form the provider uses. Texts are for people: without tags, at most `MAX_WORDS` long. */
export interface Refusal {
  /** Empty if there is none. */
  readonly message: string;
  /** A code in words; a number that only repeats the status is not one. */
  readonly code: string | null;
  readonly type: string | null;
  /** The member of the request it refers to. */
  readonly param: string | null;
  /** `api`: an error in the API's form. `text`: a string in its place. `bare`: text from whoever answered. `none`: no text at all. */
  readonly form: 'api' | 'text' | 'bare' | 'none';
  /** The `error` object as received, if it has a message; else null. */
  readonly original: object | null;
}

type Members = Readonly<Record<string, unknown>>;

const MAX_WORDS = 500;
/** Messages are not nested deeper; sixty thousand brackets would overflow the stack. */
const MAX_LEVELS = 5;
const MAX_CODE_CHARACTERS = 100;
const SILENCE: Refusal = { message: '', code: null, type: null, param: null, form: 'none', original: null };

/**
 * Reads the body of a refusal. Seen 2026-11 in fixtures/world/errors.json: `{error: {…}}`, `{error: "text"}`, the error as the body itself
 * (Mistral, older vLLM), `{detail}` (FastAPI), the same inside a list, a JSON string or a Python repr, plain text and HTML pages.
 */
export function readRefusal(text: string): Refusal {
  const value = parse(text);
  if (value === undefined) {
    const message = readBareWords(text);
    return message === '' ? SILENCE : { ...SILENCE, message, form: 'bare' };
  }
  return readValue(Array.isArray(value) ? value[0] : value);
}

function readValue(value: unknown): Refusal {
  if (typeof value === 'string') return value === '' ? SILENCE : { ...SILENCE, message: shorten(value), form: 'bare' };
  if (!isMembers(value)) return SILENCE;
  const { error } = value;
  if (isMembers(error)) return { ...readMembers(error), form: 'api', original: typeof error.message === 'string' ? error : null };
  if (typeof error === 'string' && error !== '') return { ...SILENCE, message: shorten(error), form: 'text' };
  const bare = readMembers(value);
  if (bare.message === '') return SILENCE;
  return { ...bare, form: String(value.object).toLowerCase() === 'error' ? 'api' : 'bare', original: null };
}

function readMembers(members: Members): Omit<Refusal, 'form' | 'original'> {
  const said = members.message ?? members.detail ?? members.msg ?? members.error_description;
  return {
    message: shorten(describe(typeof said === 'string' ? (parse(said) ?? said) : said)),
    code: readCode(members.code ?? members.error_code),
    type: typeof members.type === 'string' && members.type !== '' ? clip(members.type, MAX_CODE_CHARACTERS) : null,
    param: typeof members.param === 'string' && members.param !== '' ? clip(members.param, MAX_CODE_CHARACTERS) : readPlace(members.detail),
  };
}

/** Numeric codes, also as strings, repeat the status or have a meaning for one provider only. */
function readCode(code: unknown): string | null {
  return typeof code === 'string' && code !== '' && !/^\d+$/.test(code) ? clip(code, MAX_CODE_CHARACTERS) : null;
}

/** FastAPI and Pydantic give place and message: `{loc: ["body", "seed"], msg: "Extra inputs are not permitted"}`. */
function describe(said: unknown, level = 0): string {
  if (typeof said === 'string') return said;
  if (level >= MAX_LEVELS) return '';
  if (Array.isArray(said))
    return said
      .slice(0, 5)
      .map((part) => describe(part, level + 1))
      .join('; ');
  if (!isMembers(said)) return '';
  if (Array.isArray(said.loc) && typeof said.msg === 'string') return `${said.loc.filter(isPlace).join('.')}: ${said.msg}`;
  return describe(said.message ?? said.detail ?? said.msg ?? said.error, level + 1);
}

function readPlace(detail: unknown): string | null {
  const [first] = Array.isArray(detail) ? detail : [];
  const place = isMembers(first) && Array.isArray(first.loc) ? first.loc.at(-1) : null;
  return typeof place === 'string' ? clip(place, MAX_CODE_CHARACTERS) : null;
}

function isPlace(part: unknown): boolean {
  return typeof part === 'string' || typeof part === 'number';
}

/** For a page its title, or its first words; for a text its first line. */
function readBareWords(text: string): string {
  const title = /<title[^>]*>([^<]{1,400})/i.exec(text)?.[1];
  const words = title ?? text.replaceAll(/<(script|style)[\s\S]*?<\/\1>|<[^>]*>/gi, '\n');
  const first = words.split('\n').find((line) => line.trim() !== '');
  return shorten(first ?? '');
}

function shorten(words: string): string {
  return clip(words.replaceAll(/\s+/g, ' ').trim(), MAX_WORDS);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Wording for a request member that is unknown there; a value out of range is different. */
const UNKNOWN_MEMBER = new RegExp(
  [
    'extra[ _](inputs|fields?)|extra_forbidden|additional propert|not permitted|not allowed',
    'unknown (parameter|field|argument|name|key)|unrecogni[sz]ed|cannot find field|no such field',
    'unexpected (keyword|field|property|parameter|argument|key)',
    'unsupported[_ ](parameter|field|argument)|(is|are) (unsupported|not supported)|not support(ed)?\\b.*\\b(parameter|argument)|use [\'"`]?max_',
  ].join('|'),
  'i',
);

/** Whether a refusal says that this member of the request is unknown. */
export function refusesMember({ message, code, param }: Refusal, member: string): boolean {
  const isNamed = param === member || new RegExp(`(^|[^\\w])${member}([^\\w]|$)`).test(message);
  return isNamed && (UNKNOWN_MEMBER.test(message) || code === 'unsupported_parameter' || code === 'unknown_parameter');
}
