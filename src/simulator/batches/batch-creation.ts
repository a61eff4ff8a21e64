import { isRecord, type WireBody } from '../answers/prompt.ts';
import { ANSWERING_ENDPOINTS } from '../answers/request-rules.ts';
import { WireError } from '../wire-error.ts';
import { checkExpirySeconds } from './upload.ts';

/** The endpoints the Batch API names (seen 2026-11); the simulator answers the first three. */
const BATCH_ENDPOINTS = [
  ...ANSWERING_ENDPOINTS,
  '/v1/completions',
  '/v1/moderations',
  '/v1/images/generations',
  '/v1/images/edits',
  '/v1/videos',
] as const;
const PARAMETERS = new Set(['input_file_id', 'endpoint', 'completion_window', 'metadata', 'output_expires_after']);
const MOST_METADATA_PAIRS = 16;
const LONGEST_METADATA_KEY = 64;
const LONGEST_METADATA_VALUE = 512;

/** A validated request for a batch. */
export interface BatchRequest {
  readonly inputFileId: string;
  readonly endpoint: string;
  readonly metadata: Readonly<Record<string, string>> | null;
  readonly outputExpiresAfterSeconds: number | null;
}

/** Checks the body of POST /v1/batches. Whether the file exists and its lines are valid is known only later. Throws WireError 400. */
export function readBatchRequest(body: WireBody): BatchRequest {
  const unknown = Object.keys(body).find((name) => !PARAMETERS.has(name));
  if (unknown !== undefined)
    throw new WireError(400, { message: `Unknown parameter: '${unknown}'.`, param: unknown, code: 'unknown_parameter' });
  const inputFileId = readText(body, 'input_file_id');
  const endpoint = readText(body, 'endpoint');
  if (!(BATCH_ENDPOINTS as readonly string[]).includes(endpoint)) throw invalidValue('endpoint', endpoint, BATCH_ENDPOINTS);
  const window = readText(body, 'completion_window');
  if (window !== '24h') throw invalidValue('completion_window', window, ['24h']);
  return {
    inputFileId,
    endpoint,
    metadata: readMetadata(body.metadata),
    outputExpiresAfterSeconds: readOutputExpiry(body.output_expires_after),
  };
}

function readText(body: WireBody, param: string): string {
  const value = body[param];
  if (value === undefined || value === null)
    throw new WireError(400, { message: `Missing required parameter: '${param}'.`, param, code: 'missing_required_parameter' });
  if (typeof value !== 'string') throw invalidType(param, value);
  return value;
}

function readMetadata(metadata: unknown): Readonly<Record<string, string>> | null {
  if (metadata === undefined || metadata === null) return null;
  if (!isRecord(metadata)) throw invalidType('metadata', metadata, 'an object');
  const pairs = Object.entries(metadata);
  if (pairs.length > MOST_METADATA_PAIRS) {
    const message = `Invalid 'metadata': too many properties. Expected an object with at most ${MOST_METADATA_PAIRS} properties, but got an object with ${pairs.length} properties instead.`;
    throw new WireError(400, { message, param: 'metadata', code: 'object_above_max_properties' });
  }
  for (const [key, value] of pairs) {
    if (typeof value !== 'string') throw invalidType(`metadata.${key}`, value);
    checkLength(`metadata key '${key}'`, key, LONGEST_METADATA_KEY);
    checkLength(`metadata.${key}`, value, LONGEST_METADATA_VALUE);
  }
  return metadata as Readonly<Record<string, string>>;
}

function readOutputExpiry(value: unknown): number | null {
  if (value === undefined || value === null) return null;
  if (!isRecord(value)) throw invalidType('output_expires_after', value, 'an object');
  if (value.anchor !== 'created_at') throw invalidValue('output_expires_after.anchor', String(value.anchor), ['created_at']);
  return checkExpirySeconds(Number(value.seconds), 'output_expires_after.seconds');
}

function checkLength(param: string, text: string, most: number): void {
  if (text.length <= most) return;
  const message = `Invalid '${param}': string too long. Expected a string with maximum length ${most}, but got a string with length ${text.length} instead.`;
  throw new WireError(400, { message, param: 'metadata', code: 'string_above_max_length' });
}

function invalidValue(param: string, value: string, supported: readonly string[]): WireError {
  const quoted = supported.map((one) => `'${one}'`);
  const list = quoted.length === 1 ? quoted[0] : `${quoted.slice(0, -1).join(', ')}, and ${quoted.at(-1)}`;
  const message = `Invalid value: '${value}'. Supported values are: ${list}.`;
  // The API's text for the window does not name the parameter by itself; its param does (seen 2025-08).
  return new WireError(400, {
    message: param === 'completion_window' ? `Invalid completion_window. ${message}` : message,
    param,
    code: 'invalid_value',
  });
}

function invalidType(param: string, value: unknown, expected = 'a string'): WireError {
  const got = Array.isArray(value)
    ? 'an array'
    : value === null
      ? 'null'
      : isRecord(value)
        ? 'an object'
        : typeof value === 'number'
          ? 'an integer'
          : `a ${typeof value}`;
  return new WireError(400, {
    message: `Invalid type for '${param}': expected ${expected}, but got ${got} instead.`,
    param,
    code: 'invalid_type',
  });
}
