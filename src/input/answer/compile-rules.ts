import { createHash } from 'node:crypto';
import type { Job } from '../../core/job.ts';
import { type JobCode, NO_CODE } from '../../core/job-code.ts';
import type { CheckAnswer, Checked } from '../../core/outcome.ts';
import { CONFIDENCE_COLUMN, createAddColumn } from './added-columns.ts';
import { compileBallot } from './ballot.ts';
import { compileCheckAnswer } from './check-answer.ts';
import { compileConfidence } from './confidence.ts';

/** Raised when the code that judges answers changes its rules. */
const RULES_VERSION = 5;
const VERSION_MARK = `${RULES_VERSION} `;

/** Whether answers with this `rulesHash` were judged by the code as it is now, for whatever job. */
export function isOfThisVersion(rulesHash: string): boolean {
  return rulesHash.startsWith(VERSION_MARK);
}

/** How a job judges its answers; needs no table. */
export function compileRules(
  job: Job,
  code: JobCode = NO_CODE,
): {
  readonly checkAnswer: CheckAnswer;
  /** Identifies the rules for answers: stored answers are judged again when it changes. */
  readonly rulesHash: string;
} {
  const hash = hashRules(job);
  const rulesHash = code.checkValue === null ? hash : `${hash} ${code.id}`;
  if (job.endpoint === '/v1/embeddings') return { checkAnswer: checkVector, rulesHash };
  const checkAnswer = withConfidence(withCode(compileCheckAnswer(job.output), code), job);
  return { checkAnswer: job.votes === 1 ? checkAnswer : Object.assign(checkAnswer, { ballot: compileBallot(job) }), rulesHash };
}

/** Rejects a text in place of a vector; vectors themselves need no check. */
const checkVector: CheckAnswer = Object.assign((): Checked => ({ ok: false, message: 'the answer is a text, not a vector' }), {
  takesVectors: true,
});

function withCode(checkAnswer: CheckAnswer, { checkValue }: JobCode): CheckAnswer {
  if (checkValue === null) return checkAnswer;
  return withTraitsOf(checkAnswer, (...given) => {
    const checked = checkAnswer(...given);
    if (!checked.ok) return checked;
    const { note } = checked;
    const judged = checkValue(checked.value);
    return judged.ok && note !== undefined ? { ...judged, note } : judged;
  });
}

function withConfidence(checkAnswer: CheckAnswer, job: Job): CheckAnswer {
  if (job.confidence === null) return withTraitsOf(checkAnswer, (...given) => checkAnswer(...given));
  const readConfidence = compileConfidence(job);
  const addColumn = createAddColumn(job);
  return withTraitsOf(checkAnswer, (text, logprobs, readPromptControls) => {
    const checked = checkAnswer(text, logprobs, readPromptControls);
    if (!checked.ok) return checked;
    const add = (value: unknown) => addColumn(value, CONFIDENCE_COLUMN, readConfidence(text, logprobs));
    return { ...checked, value: add(checked.value), ...(checked.written === undefined ? {} : { written: add(checked.written) }) };
  });
}

/** A check derived from another one joins the parts of an answer in the same way. */
function withTraitsOf({ takesAnyText }: CheckAnswer, check: (...given: Parameters<CheckAnswer>) => Checked): CheckAnswer {
  return takesAnyText === true ? Object.assign(check, { takesAnyText }) : check;
}

function hashRules({ output, votes, confidence }: Job): string {
  const added = votes === 1 && confidence === null ? [] : [votes, confidence];
  const hash = createHash('sha256')
    .update(JSON.stringify([output, ...added]))
    .digest('hex')
    .slice(0, 16);
  return `${VERSION_MARK}${hash}`;
}
