import { findControls, findControlsOfJson, findStrayControl, type ReadPromptControls } from '../../core/answer/control-characters.ts';
import { parseExactly } from '../../core/exact/parse-exactly.ts';
import { scanJson } from '../../core/exact/scan-json.ts';
import type { OutputSpec } from '../../core/job.ts';
import type { CheckAnswer, Checked } from '../../core/outcome.ts';
import { compileValidator, describeValidationErrors } from './answer-validator.ts';
import { findSilentChange } from './exact-json.ts';
import { CHECK_MS, doInTime, isOverTime } from './time-limit.ts';
import { unwrapJson } from './unwrap-json.ts';

/**
 * Compiles the check of an answer's text. Text: anything that is not blank; with a closed set, exactly one label, ignoring spaces around it. JSON: exactly one
 * object that matches the schema; a code fence or a lead-in around it is removed, with a note, and nothing else is repaired. No control character that
 * is not in the row's prompt. The result never throws: whatever a model writes is an answer or invalid.
 */
export function compileCheckAnswer(output: OutputSpec): CheckAnswer {
  if (output.type === 'text') {
    return output.labels === undefined ? Object.assign(checkText, { takesAnyText: true }) : compileCheckLabel(output.labels);
  }
  const validate = output.schema === null ? null : compileValidator(output.schema);
  // Branches that refer to each other may be evaluated two to the power of the levels times.
  const hasReferences = /"\$(dynamicRef|ref)":/.test(JSON.stringify(output.schema));
  return (text, _logprobs, readPromptControls) => {
    try {
      const { value, json, note } = readJson(text);
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return invalid('the answer is not a JSON object');
      const scan = scanJson(json);
      const change = findSilentChange(json, value, scan) ?? findStrayControl(findControlsOfJson(json), readPromptControls);
      if (change !== null) return invalid(`the answer cannot be taken as it is: ${change}`);
      const mayTakeLong = hasReferences || json.length > SHORT_CHARACTERS;
      if (validate === null || (mayTakeLong ? doInTime(() => validate(value)) : validate(value))) {
        if (note === null && !scan.hasOddNumber) return { ok: true, value };
        return { ok: true, value, ...(note === null ? {} : { note }), ...(scan.hasOddNumber ? { written: parseExactly(json) } : {}) };
      }
      return invalid(describeValidationErrors(validate.errors ?? []));
    } catch (error) {
      if (isOverTime(error)) return invalid(`it could not be checked against the schema within ${CHECK_MS} ms`);
      if (error instanceof RangeError) return invalid('the schema refers to itself without an end');
      return invalid(error instanceof SyntaxError ? `the answer is not JSON: ${error.message}` : (error as Error).message);
    }
  };
}

/** All errors of an answer are collected: a long one may have hundreds of thousands. */
const SHORT_CHARACTERS = 64 * 1024;

/** @throws SyntaxError for the unchanged text, if no single object can be separated from what is around it */
function readJson(text: string): { readonly value: unknown; readonly json: string; readonly note: string | null } {
  try {
    return { value: JSON.parse(text), json: text, note: null };
  } catch (error) {
    const unwrapped = unwrapJson(text);
    if (unwrapped === null) throw error;
    try {
      return { value: JSON.parse(unwrapped.text), json: unwrapped.text, note: unwrapped.note };
    } catch {
      throw error;
    }
  }
}

function checkText(text: string, _logprobs?: unknown, readPromptControls?: ReadPromptControls): Checked {
  if (text.trim() === '') return invalid('the answer is blank');
  const stray = findStrayControl(findControls(text), readPromptControls);
  return stray === null ? { ok: true, value: text } : invalid(`the answer cannot be taken as it is: ${stray}`);
}

function compileCheckLabel(labels: readonly string[]): CheckAnswer {
  const validate = compileValidator({ enum: labels });
  return (text) => {
    const label = text.trim();
    return validate(label) ? { ok: true, value: label } : invalid(describeValidationErrors(validate.errors ?? []));
  };
}

function invalid(message: string): Checked {
  return { ok: false, message };
}
