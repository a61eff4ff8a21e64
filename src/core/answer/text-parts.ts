import { isDeepStrictEqual } from 'node:util';
import type { CheckAnswer, Checked } from '../outcome.ts';
import type { TextPart } from './completion.ts';
import type { ReadPromptControls } from './control-characters.ts';

export interface CheckedParts {
  readonly checked: Checked;
  /** All the text. */
  readonly text: string;
}

/**
 * The parts of a text are one answer, unless only one of them is valid: some models start an answer, drop it, and give it whole in a later part
 * (openai-contract section 10, seen 2026-11-21). If two are valid and differ, neither is chosen (section 21, seen 2026-11-29).
 */
export function checkParts(
  parts: readonly [TextPart, ...TextPart[]],
  checkAnswer: CheckAnswer,
  readPromptControls: ReadPromptControls | undefined,
): CheckedParts {
  const whole = joinParts(parts);
  const check = ({ text, logprobs }: TextPart) => checkAnswer(text, logprobs, readPromptControls);
  if (parts.length === 1 || checkAnswer.takesAnyText === true) return { checked: check(whole), text: whole.text };
  // Probabilities belong to an answer but are not its content.
  const bare = [whole, ...parts].map((part) => ({ part, checked: checkAnswer(part.text, null, readPromptControls) }));
  const good = bare.filter(({ checked }) => checked.ok && checked.note === undefined);
  const candidates = good.length > 0 ? good : bare.filter(({ checked }) => checked.ok);
  const [first, ...others] = candidates;
  if (first === undefined) return { checked: (bare[0] as (typeof bare)[0]).checked, text: whole.text };
  if (others.some(({ checked }) => !isSameAnswer(checked, first.checked))) {
    return { checked: { ok: false, message: 'two parts are answers by themselves, and they differ' }, text: whole.text };
  }
  return { checked: check(first.part), text: whole.text };
}

function isSameAnswer(a: Checked, b: Checked): boolean {
  return a.ok && b.ok && isDeepStrictEqual(a.value, b.value);
}

function joinParts(parts: readonly [TextPart, ...TextPart[]]): TextPart {
  if (parts.length === 1) return parts[0];
  const logprobs = parts.flatMap((part) => (Array.isArray(part.logprobs) ? part.logprobs : []));
  return { text: parts.map(({ text }) => text).join(''), logprobs };
}
