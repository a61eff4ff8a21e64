import { answerRequest } from '../answers/answer.ts';
import type { Answer } from '../answers/answer-types.ts';
import { nameContent } from '../answers/content.ts';
import { isRecord, type WireBody } from '../answers/prompt.ts';
import { type AnsweringEndpoint, refuseCacheOptions } from '../answers/request-rules.ts';
import type { BilledRows, BillLine } from '../bill.ts';
import type { RowAction } from '../faults/fault-plan.ts';
import { hashDigits, sha256 } from '../hash.ts';
import type { Simulation } from '../simulation.ts';
import type { BatchRecord } from '../store.ts';
import { WireError } from '../wire-error.ts';
import { findBodyText } from './body-text.ts';
import { type LineNames, type RowResult, renderLine } from './output-lines.ts';
import { makeSpoiledLines } from './row-faults.ts';

/** A row after its execution. */
export interface ExecutedRow extends RowResult {
  /** The usage of everything ever billed for it, including lines of a killed process. */
  readonly charged: readonly BillLine['usage'][];
}

/** A line of the input file, parsed. */
interface InputLine {
  readonly custom_id: string;
  readonly body: WireBody;
}

/** Executes one line of a batch. `billed` holds what a killed process had executed of this batch: such a row is answered again but not billed again. */
export function executeRow(
  simulation: Simulation,
  batch: BatchRecord,
  { text, row, billed }: { readonly text: string; readonly row: number; readonly billed: BilledRows },
): ExecutedRow {
  const { custom_id: customId, body } = JSON.parse(text) as InputLine;
  const bodySha256 = sha256(findBodyText(text) ?? '');
  const subject = { customId, row, batch: batch.number, model: String(body.model), lane: 'batch' } as const;
  const { faults, seed, clock } = simulation;
  const past = billed.get(customId);
  const rowFault = faults.hasRowFaults ? faults.rowFault(subject) : undefined;
  const action = past !== undefined && preventsExecution(rowFault) ? undefined : rowFault;
  // The same row gets the same ids in every run, so that the tables of two runs can be compared; the line's own id tells two attempts apart.
  const content = nameContent(body, bodySha256);
  const idDigits = hashDigits(seed, customId, content);
  const line = {
    id: `batch_req_${hashDigits(seed, batch.number, customId)}`,
    customId,
    requestId: `req_${idDigits}`,
  };
  if (preventsExecution(action)) return { ...makeSpoiledLines(line, action, undefined), charged: [] };
  let answer: Answer;
  try {
    if (simulation.cacheOptions.startsWith('refused')) refuseCacheOptions(body);
    const nowMs = clock.now();
    answer = answerRequest(batch.wire.endpoint as AnsweringEndpoint, body, {
      drawSeed: `${seed}/${content}`,
      manner: simulation.manner,
      occasion: `${batch.number}/${customId}`,
      idDigits,
      createdAtSeconds: Math.floor(clock.now() / 1000),
      fault: faults.hasRowFaults ? faults.answerFault(subject) : undefined,
      useCache: () => simulation.promptCache.use({ body, arrivedAtMs: nowMs, nowMs, keeps: false }),
    });
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return { output: [], error: [renderLine(line, error.status, error.body)], billed: [], counted: 'failed', charged: [] };
  }
  const charge: BillLine = {
    at: new Date(clock.now()).toISOString(),
    lane: 'batch',
    batchId: batch.wire.id,
    customId,
    bodySha256,
    model: answer.model,
    tier: 'batch',
    usage: past?.[0] ?? answer.usage,
  };
  // The bill stands: if a fault has changed the usage since, the answer reports what was billed.
  const isSame = past?.[0] === undefined || JSON.stringify(past[0]) === JSON.stringify(answer.usage);
  const answerBody = isSame ? answer.body : { ...answer.body, usage: charge.usage };
  if (answer.isFree === true)
    return { output: [renderLine(line, 200, answer.body)], error: [], billed: [], counted: 'completed', charged: [] };
  const result =
    action === undefined ? makeAnsweredLine(line, answerBody, charge) : makeSpoiledLines(line, action, { body: answerBody, charge });
  return { ...result, billed: result.billed.slice(past?.length ?? 0), charged: result.billed.map(({ usage }) => usage) };
}

function makeAnsweredLine(line: LineNames, body: unknown, charge: BillLine): RowResult {
  return { output: [renderLine(line, 200, body)], error: [], billed: [charge], counted: 'completed' };
}

/** Faults after which nothing is billed, because the row was never answered. */
function preventsExecution(action: RowAction | undefined): action is RowAction {
  if (action === undefined) return false;
  if (action.type === 'world') return !isRecord((action.line.response as { body?: unknown } | null | undefined)?.body);
  return (
    action.type === 'rowStatus' || ['missing', 'status_0', 'expired', 'cancelled', 'error_in_output', 'string_error'].includes(action.kind)
  );
}
