import { countRequestTokens, type RequestTokens } from './request-tokens.ts';
import type { CountTokens } from './tokenizer.ts';

/** The text at the start and end of all bodies of a job, cut from one of them, and its tokens: instructions, schema, message overhead. */
export interface ConstantPart {
  readonly sample: string;
  readonly prefixLength: number;
  /** The sample's length while it is the only body seen. */
  readonly suffixLength: number;
  readonly tokens: RequestTokens;
}

const NO_TOKENS: RequestTokens = { messageTokens: 0, schemaTokens: 0 };

/** A first body is constant from end to end. */
export function makeConstantPart(body: string, countTokens: CountTokens): ConstantPart {
  return withTokens({ sample: body, prefixLength: body.length, suffixLength: body.length }, body, countTokens);
}

/** The constant part of one body more. It only ever shrinks, so this is rare. */
export function shrinkConstantPart(part: ConstantPart, body: string, countTokens: CountTokens): ConstantPart {
  const { sample } = part;
  const prefixLength = commonPrefixLength(sample, body, part.prefixLength);
  const suffixLength = commonSuffixLength(sample, body, Math.min(part.suffixLength, Math.min(sample.length, body.length) - prefixLength));
  const constantText = sample.slice(0, prefixLength) + sample.slice(sample.length - suffixLength);
  return withTokens({ sample, prefixLength, suffixLength }, constantText, countTokens);
}

/** The text between the common ends is nearly always the inside of a JSON string; otherwise nothing is treated as constant. */
function withTokens(cut: Omit<ConstantPart, 'tokens'>, constantText: string, countTokens: CountTokens): ConstantPart {
  const tokens = countRequestTokens(constantText, countTokens);
  return tokens === null ? { sample: '', prefixLength: 0, suffixLength: 0, tokens: NO_TOKENS } : { ...cut, tokens };
}

/** A prefix must not end inside an escape sequence. */
const CUT_ESCAPE = /(?<!\\)(?:\\\\)*(\\(?:u[0-9a-f]{0,3})?)$/i;

function commonPrefixLength(a: string, b: string, limit: number): number {
  let length = 0;
  while (length < limit && a.charCodeAt(length) === b.charCodeAt(length)) length++;
  const cutEscape = CUT_ESCAPE.exec(a.slice(Math.max(0, length - 64), length))?.[1] ?? '';
  return length - cutEscape.length;
}

function commonSuffixLength(a: string, b: string, limit: number): number {
  let length = 0;
  while (length < limit && a.charCodeAt(a.length - 1 - length) === b.charCodeAt(b.length - 1 - length)) length++;
  return length;
}
