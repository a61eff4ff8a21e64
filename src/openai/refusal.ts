import { clip } from '../core/bounds/clip.ts';

/** What a provider says when it refuses a call, whatever form it says it in. Texts are for people: without tags, at most `MAX_WORDS` long. */
export interface Refusal {
  /** Empty when it says nothing. */
  readonly message: string;
  /** A code in words; a number that only repeats the status is none. */
  readonly code: string | null;
  readonly type: string | null;
  /** The member of the request that is meant. */
  readonly param: string | null;
  /** `api`: an error as an API gives it. `text`: a text in its place. `bare`: words of whoever answered. `none`: no words at all. */
  readonly form: 'api' | 'text' | 'bare' | 'none';
  /** The `error` object as it came, where it is one with a message; else null. */
  readonly original: object | null;
}

type Members = Readonly<Record<string, unknown>>;

const MAX_WORDS = 500;
/** Words lie no deeper; sixty thousand brackets would overflow the stack. */
const MAX_LEVELS = 5;
const MAX_CODE_CHARACTERS = 100;
const SILENCE: Refusal = { message: '', code: null, type: null, param: null, form: 'none', original: null };

/**
 * Reads the body of a refusal. Seen 2026-11 in fixtures/world/errors.json: `{error: {…}}`, `{error: "text"}`, the error as the body itself
 * (Mistral, older vLLM), `{detail}` (FastAPI), the same inside a list, in a JSON text or in a text of Python's, plain texts and pages.
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

/** Codes that are numbers, also those written as texts, repeat the status or mean something to one provider alone. */
function readCode(code: unknown): string | null {
  return typeof code === 'string' && code !== '' && !/^\d+$/.test(code) ? clip(code, MAX_CODE_CHARACTERS) : null;
}

/** FastAPI and Pydantic say where and what: `{loc: ["body", "seed"], msg: "Extra inputs are not permitted"}`. */
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

/** Of a page its title, or its first words; of a text its first line. */
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

/** Words that say of a member of a request that it is not known there; a value out of range is something else. */
const UNKNOWN_MEMBER = new RegExp(
  [
    'extra[ _](inputs|fields?)|extra_forbidden|additional propert|not permitted|not allowed',
    'unknown (parameter|field|argument|name|key)|unrecogni[sz]ed|cannot find field|no such field',
    'unexpected (keyword|field|property|parameter|argument|key)',
    'unsupported[_ ](parameter|field|argument)|(is|are) (unsupported|not supported)|not support(ed)?\\b.*\\b(parameter|argument)|use [\'"`]?max_',
  ].join('|'),
  'i',
);

/** Whether a refusal says that it does not know this member of the request. */
export function refusesMember({ message, code, param }: Refusal, member: string): boolean {
  const isNamed = param === member || new RegExp(`(^|[^\\w])${member}([^\\w]|$)`).test(message);
  return isNamed && (UNKNOWN_MEMBER.test(message) || code === 'unsupported_parameter' || code === 'unknown_parameter');
}
