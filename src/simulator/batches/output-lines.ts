import type { BillLine } from '../bill.ts';

/** The result of one row of a batch: lines for the two files, lines for the bill, and how it is counted. */
export interface RowResult {
  /** Each with its line break. */
  readonly output: readonly (string | Buffer)[];
  readonly error: readonly string[];
  /** In the order of its attempts. */
  readonly billed: readonly BillLine[];
  readonly counted: 'completed' | 'failed' | 'not_counted';
}

/** How a row's line is labelled. */
export interface LineNames {
  readonly id: string;
  readonly customId: string;
  readonly requestId: string;
}

/** One line of an output or error file, with its line break. */
export function renderLine({ id, customId, requestId }: LineNames, status: number, body: unknown): string {
  return `${JSON.stringify({ id, custom_id: customId, response: { status_code: status, request_id: requestId, body }, error: null })}\n`;
}

/** One line of an error file for a row that was not executed. */
export function renderUnexecutedLine({ id, customId }: LineNames, code: 'batch_expired' | 'batch_cancelled'): string {
  const why = code === 'batch_expired' ? 'before the completion window expired' : 'because the batch was cancelled';
  return `${JSON.stringify({ id, custom_id: customId, response: null, error: { code, message: `This request could not be executed ${why}.` } })}\n`;
}
