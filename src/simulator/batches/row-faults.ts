import type { BillLine } from '../bill.ts';
import type { RowAction } from '../faults/fault-plan.ts';
import { type LineNames, type RowResult, renderLine, renderUnexecutedLine } from './output-lines.ts';

/** A row that was answered, before its line is spoiled. */
export interface AnsweredRow {
  readonly body: unknown;
  readonly charge: BillLine;
}

const HUGE_LINE_BYTES = 11 * 1024 * 1024;

/**
 * The lines of a row spoiled by a fault. An answered row stays on the bill whatever happens to its line; `answered` is undefined for
 * faults that prevent a row from being executed.
 */
export function makeSpoiledLines(line: LineNames, action: RowAction, answered: AnsweredRow | undefined): RowResult {
  if (action.type === 'world') return makeWorldLine(line, action, answered);
  if (answered === undefined) return makeUnansweredLines(line, action);
  const { body, charge } = answered;
  const good = renderLine(line, 200, body);
  const spoiled = (output: readonly (string | Buffer)[], billed: readonly BillLine[] = [charge]): RowResult => ({
    output,
    error: [],
    billed,
    counted: 'completed',
  });
  switch (action.type === 'line' ? action.kind : undefined) {
    case 'lost':
      return spoiled([]);
    case 'duplicate':
      return spoiled([good, good]);
    case 'duplicate_new_id':
      return spoiled([good, renderLine({ ...line, id: `${line.id}b`, requestId: `${line.requestId}b` }, 200, body)], [charge, charge]);
    case 'broken':
      return spoiled([`${good.slice(0, Math.floor(good.length * 0.6))}\n`]);
    case 'two_objects':
      return spoiled([`${good.trimEnd()}${renderLine({ ...line, id: `${line.id}b`, customId: `not-ours-${line.customId}` }, 200, body)}`]);
    case 'blank':
      return spoiled(['\n', good, '   \n']);
    case 'crlf':
      return spoiled([`${good.trimEnd()}\r\n`]);
    case 'foreign':
      return spoiled([good, renderLine({ ...line, id: `${line.id}b`, customId: `not-ours-${line.customId}` }, 200, body)]);
    case 'no_custom_id':
      return spoiled([good.replace(/"custom_id":"(?:[^"\\]|\\.)*",/, '')]);
    case 'response_and_error':
      return spoiled([good.replace(/"error":null\}\n$/, '"error":{"code":"server_error","message":"The server had an error"}}\n')]);
    case 'null_body':
      return spoiled([renderLine(line, 200, null)]);
    case 'huge':
      return spoiled([good.replace('{', () => `{${' '.repeat(HUGE_LINE_BYTES)}`)]);
    case 'bad_utf8':
      return spoiled([Buffer.concat([Buffer.from(good.slice(0, 40)), Buffer.from([0xc3, 0x28, 0xff]), Buffer.from(good.slice(40))])]);
    default:
      return spoiled([good]);
  }
}

/** The line of a shape, in the file where it was seen; billed only for the usage in its body. */
function makeWorldLine({ customId }: LineNames, action: WorldAction, answered: AnsweredRow | undefined): RowResult {
  const text = JSON.stringify(action.line).replaceAll('"@KEY@"', () => JSON.stringify(customId));
  const { usage, model } = (action.line.response as { body?: WorldBody } | null | undefined)?.body ?? {};
  const billed =
    answered === undefined || usage === undefined ? [] : [{ ...answered.charge, usage, model: model ?? answered.charge.model }];
  const isOutput = action.file === 'output';
  return {
    output: isOutput ? [`${text}\n`] : [],
    error: isOutput ? [] : [`${text}\n`],
    billed,
    counted: isOutput ? 'completed' : 'failed',
  };
}

type WorldAction = Extract<RowAction, { type: 'world' }>;

interface WorldBody {
  readonly usage?: BillLine['usage'];
  readonly model?: string;
}

function makeUnansweredLines(line: LineNames, action: Exclude<RowAction, { type: 'world' }>): RowResult {
  const failed = (error: readonly string[]): RowResult => ({ output: [], error, billed: [], counted: 'failed' });
  if (action.type === 'rowStatus')
    return failed([renderLine(line, action.status, makeErrorBody(action.status, action.code, action.message))]);
  switch (action.kind) {
    case 'expired':
      return failed([renderUnexecutedLine(line, 'batch_expired')]);
    case 'cancelled':
      return failed([renderUnexecutedLine(line, 'batch_cancelled')]);
    case 'status_0':
      // Seen in the wild: lost inside the provider, in the error file, and yet counted as completed.
      return { output: [], error: [renderLine({ ...line, requestId: '' }, 0, {})], billed: [], counted: 'completed' };
    case 'error_in_output':
      return {
        output: [renderLine(line, 400, makeErrorBody(400, 'invalid_prompt', 'Invalid prompt'))],
        error: [],
        billed: [],
        counted: 'completed',
      };
    case 'string_error':
      return failed([renderLine(line, 400, null).replace(/"error":null\}\n$/, '"error":"max_tokens must be positive"}\n')]);
    default:
      return { output: [], error: [], billed: [], counted: 'not_counted' };
  }
}

function makeErrorBody(status: number, code: string | null, message: string) {
  return { error: { message, type: status >= 500 ? 'server_error' : 'invalid_request_error', param: null, code } };
}
