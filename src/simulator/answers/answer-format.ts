import { WireError } from '../wire-error.ts';
import { isRecord, type PromptMessage, type WireBody } from './prompt.ts';
import { checkStrictSchema } from './strict-schema.ts';

/** The format in which the request wants its answer. */
export type AnswerFormat =
  | { readonly type: 'text' }
  | { readonly type: 'json_object' }
  | { readonly type: 'json_schema'; readonly schema: Readonly<Record<string, unknown>> };

/**
 * Reads `response_format` (chat) or `text.format` (Responses, flat) and refuses what the API refuses: JSON mode without the word json, a bad
 * schema name, a schema outside the strict subset. Throws WireError 400.
 */
export function readAnswerFormat(body: WireBody, prompt: readonly PromptMessage[]): AnswerFormat {
  const isChat = 'messages' in body;
  const format = isChat ? body.response_format : isRecord(body.text) ? body.text.format : undefined;
  if (format === undefined || format === null) return { type: 'text' };
  const param = isChat ? 'response_format' : 'text.format';
  const type = isRecord(format) ? format.type : undefined;
  if (!isRecord(format) || typeof type !== 'string') throw missing(`${param}.type`);
  if (type === 'text') return { type };
  if (type === 'json_object') {
    checkJsonWord(isChat ? 'messages' : 'input', prompt);
    return { type };
  }
  if (type !== 'json_schema') {
    const message = `Invalid value: '${type}'. Supported values are: 'json_object', 'json_schema', and 'text'.`;
    throw new WireError(400, { message, param: `${param}.type`, code: 'invalid_value' });
  }
  const isFineTuned = String(body.model).startsWith('ft:');
  return readSchemaFormat(isChat ? format.json_schema : format, { place: isChat ? `${param}.json_schema` : param, param, isFineTuned });
}

interface FormatPlace {
  readonly place: string;
  readonly param: string;
  readonly isFineTuned: boolean;
}

function readSchemaFormat(given: unknown, { place, param, isFineTuned }: FormatPlace): AnswerFormat {
  if (!isRecord(given)) throw missing(place);
  const { name, schema } = given;
  if (typeof name !== 'string') throw missing(`${place}.name`);
  if (!/^[a-zA-Z0-9_-]{1,64}$/.test(name)) {
    const message = `Invalid '${place}.name': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.`;
    throw new WireError(400, { message, param: `${place}.name`, code: 'invalid_value' });
  }
  if (!isRecord(schema)) throw missing(`${place}.schema`);
  if (given.strict === true) checkStrictSchema(schema, { name, param, isFineTuned });
  return { type: 'json_schema', schema };
}

/** The text is the API's own, seen 2026-11, including quotes and comma. */
function checkJsonWord(param: string, prompt: readonly PromptMessage[]): void {
  if (prompt.some(({ text }) => /json/i.test(text))) return;
  throw new WireError(400, {
    message: `'${param}' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.`,
    param,
  });
}

function missing(param: string): WireError {
  return new WireError(400, { message: `Missing required parameter: '${param}'.`, param, code: 'missing_required_parameter' });
}
