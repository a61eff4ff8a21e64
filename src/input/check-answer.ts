import type { OutputSpec } from '../core/job.ts';
import type { CheckAnswer, Checked } from '../core/outcome.ts';
import { compileValidator, describeValidationErrors } from './answer-validator.ts';
import { findSilentChange } from './exact-json.ts';

/**
 * Compiles how an answer's text is judged. Text: anything but blank. JSON: exactly one object, as it stands (no fences or prose are cut away),
 * that keeps the schema. The result never throws: whatever a model writes is an answer or invalid.
 */
export function compileCheckAnswer(output: OutputSpec): CheckAnswer {
  if (output.type === 'text') return checkText;
  const validate = output.schema === null ? null : compileValidator(output.schema);
  return (text) => {
    try {
      const value: unknown = JSON.parse(text);
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return invalid('the answer is not a JSON object');
      const change = findSilentChange(text);
      if (change !== null) return invalid(`the answer cannot be taken as it is: ${change}`);
      if (validate === null || validate(value)) return { ok: true, value };
      return invalid(describeValidationErrors(validate.errors ?? []));
    } catch (error) {
      return invalid(error instanceof SyntaxError ? `the answer is not JSON: ${error.message}` : (error as Error).message);
    }
  };
}

function checkText(text: string): Checked {
  return text.trim() === '' ? invalid('the answer is blank') : { ok: true, value: text };
}

function invalid(message: string): Checked {
  return { ok: false, message };
}
