import { readCompletionText } from '../../core/answer/answer-body.ts';
import { makeCustomId, type Request } from '../../core/request.ts';
import type { ResponseLine } from '../../core/response-line.ts';
import type { Row } from '../../core/row.ts';
import type { CompiledJob } from '../../input/compile-job.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { KeyView, ParamSet } from '../open/opening.ts';
import type { PreparedJob } from '../open/prepared-job.ts';

/** @param id the id of the request's key */
export type MakeDueRequest = (row: Row, request: Request, id: number, step: 'new' | 'again' | 'reask') => Request;

/**
 * Makes the function that returns the current request of a due row: its own request; a re-ask that shows the model its last answer and what was
 * wrong with it; or, after `retry --set`, its request with the given parameters. After a transient fault the same request is sent under the same id.
 */
export function createDueRequests(
  ledger: Pick<Ledger, 'readJudgedAnswer'>,
  view: KeyView,
  { compiled, compileWith }: Pick<PreparedJob, 'compiled' | 'compileWith'>,
): MakeDueRequest {
  const compiledBySet = new Map<string, CompiledJob>();

  function compiledFor(set: ParamSet): CompiledJob {
    const name = JSON.stringify(set);
    const known = compiledBySet.get(name) ?? compileWith(set);
    compiledBySet.set(name, known);
    return known;
  }

  return (row, request, id, step) => {
    if (step === 'new') return request;
    const set = view.setOf(id, request.key);
    const isReopened = view.isReopened(id);
    if (set === undefined && isReopened) return request;
    const n = view.reasks(id) + (step === 'reask' || isReopened ? 1 : 0);
    if (n === 0) return request;
    const asked = set === undefined ? request : withBodyOf(request, compiledFor(set), row);
    const judged = isReopened ? null : ledger.readJudgedAnswer(id);
    if (judged === null) return { ...asked, customId: makeCustomId(request.key, n) };
    return compiled.renderReask(asked, { n, cause: judged.cause, answerText: judged.text, message: judged.message });
  };
}

/** A request under its old key, with other parameters. */
function withBodyOf(request: Request, compiled: CompiledJob, row: Row): Request {
  const rendered = compiled.render(row);
  return rendered.status === 'request' ? { ...request, body: rendered.request.body } : request;
}

/** The model's text, or null if there was none. */
export function readAnswerText(line: ResponseLine | null): string | null {
  return readCompletionText(line?.response?.body);
}
