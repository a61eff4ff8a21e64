import { readCapTokens } from '../core/request.ts';
import { readUsage } from '../core/usage.ts';
import { formatCount } from '../core/wording/format-count.ts';
import { ApiError } from './api-error.ts';
import { type AddressForms, type FormName, type Forms, findRefusedForm } from './forms.ts';
import { readRefusal } from './refusal.ts';

/** The code of a refusal after which the same request is sent again in another form. */
export const OTHER_FORM = 'other_form';

/** Statuses of refusals that are about the request itself: nothing was executed, nothing is billed. */
const REFUSING_STATUSES: readonly (number | null)[] = [400, 404, 415, 422];
/** Some servers count tokens they add themselves. */
const SLACK_TOKENS = 8;
const SLACK_SHARE = 0.02;

/**
 * Handles a refusal of something that this address may want in its other form.
 * @returns a failure of kind `wait` if the same request is to be sent again at once, in that form; else null
 */
export function learnFromRefusal(error: unknown, forms: AddressForms, sent: readonly FormName[], sentForms: Forms): ApiError | null {
  if (!(error instanceof ApiError) || error.refusal === null || error.kind !== 'permanent') return null;
  if (!REFUSING_STATUSES.includes(error.status)) return null;
  const name = findRefusedForm(error.refusal, sent, sentForms);
  if (name === null || !forms.reject(name, sentForms[name], `it refused ${sentForms[name]} with ${error.status}`)) return null;
  return new ApiError(`${error.message}; sent again in another form`, { kind: 'wait', code: OTHER_FORM, retryAfterMs: 0 });
}

/**
 * An answer longer than its cap: the server silently ignored the cap under this name (Ollama, LM Studio, llama.cpp before
 * 2026; seen 2026-11-29). Any other answer confirms the name it was sent.
 */
export function learnFromAnswer(
  answer: { readonly url: string; readonly body: string; readonly usage: unknown },
  forms: AddressForms,
  sentForms: Forms,
): void {
  if (answer.url !== '/v1/chat/completions') return;
  const usage = readUsage(answer.usage);
  if (usage === null) return;
  const capTokens = usage.outputTokens <= readLeastCap(answer.body, sentForms) ? null : readCapTokens(answer);
  if (capTokens === null || usage.outputTokens <= capTokens + Math.max(SLACK_TOKENS, capTokens * SLACK_SHARE)) {
    if (sentForms.cap === forms.now.cap) forms.confirm('cap');
    return;
  }
  const how = `an answer had ${formatCount(usage.outputTokens)} tokens where ${sentForms.cap} allowed ${formatCount(capTokens)}`;
  // What was seen needs no confirmation.
  if (forms.reject('cap', sentForms.cap, how)) forms.confirm('cap');
  else forms.giveUp('cap', `${how}, and the other name does no better: nothing bounds answers there, and no budget can`);
}

/** What can be told without parsing every body: an answer with this few tokens is within its cap. */
function readLeastCap(body: string, { cap }: Forms): number {
  const name = `"${cap}":`;
  const at = body.lastIndexOf(name);
  return at === -1 ? 0 : Number.parseInt(body.slice(at + name.length, at + name.length + 12), 10) || 0;
}

/** The same from a line of a batch, which was sent some time ago. @returns whether the address gets another form from now on */
export function learnFromLine(refused: { readonly status: number; readonly body: unknown }, forms: AddressForms): boolean {
  if (!REFUSING_STATUSES.includes(refused.status)) return false;
  const { cap } = forms.now;
  const refusal = readRefusal(JSON.stringify(refused.body) ?? '');
  if (findRefusedForm(refusal, ['cap'], forms.now) === null) return false;
  if (!forms.reject('cap', cap, `a line of a batch refused ${cap} with ${refused.status}`)) return false;
  forms.confirm('cap');
  return true;
}
