import type { Request } from '../core/request.ts';
import { makeCustomId } from '../core/request.ts';
import type { ResponseLine } from '../core/response-line.ts';
import type { CompiledJob } from '../input/compile-job.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { KeyedRow } from './row-keys.ts';

/**
 * The request a row that is due asks now: its own, or a re-ask that shows the model its last answer and what was wrong with it.
 * A re-ask that met a passing fault is asked again under the same id.
 */
export function makeDueRequest(ledger: Ledger, compiled: CompiledJob, row: KeyedRow, step: 'new' | 'again' | 'reask'): Request {
  const { keys } = ledger;
  const reasks = step === 'new' || keys.isReopened(row.id) ? 0 : keys.reasks(row.id);
  if (step !== 'reask' && reasks === 0) return row.request;
  const n = step === 'reask' ? reasks + 1 : reasks;
  const judged = ledger.readJudgedAnswer(row.id);
  if (judged === null) return { ...row.request, customId: makeCustomId(row.request.key, n) };
  return compiled.renderReask(row.request, { n, cause: judged.cause, answerText: readAnswerText(judged.line), message: judged.message });
}

/** What the model said, or null when it said nothing. */
export function readAnswerText(line: ResponseLine | null): string | null {
  const body = line?.response?.body as { choices?: readonly { message?: { content?: unknown } }[] } | null | undefined;
  const content = body?.choices?.[0]?.message?.content;
  return typeof content === 'string' ? content : null;
}
