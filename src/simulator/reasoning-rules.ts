import { WireError } from './wire-error.ts';

/** The efforts of a reasoning model, and its default. */
export interface ReasoningRules {
  readonly efforts: readonly string[];
  readonly defaultEffort: string;
}

/** Model pages and models.dev, read 2026-11-29; if no default is published, medium is used. */
const BY_FAMILY: readonly (readonly [families: string, efforts: string, defaultEffort: string])[] = [
  ['gpt-6.2-astra gpt-6.2-sol gpt-6.1-sol gpt-6-astra', 'low medium high xhigh max', 'medium'],
  ['gpt-6.1-terra gpt-6-sol gpt-6-luna gpt-5.6-sol gpt-5.6-terra gpt-5.6-luna', 'none low medium high xhigh max', 'medium'],
  ['gpt-5.5 gpt-5.3-codex', 'none low medium high xhigh', 'medium'],
  ['gpt-5.4 gpt-5.4-mini gpt-5.4-nano gpt-5.2', 'none low medium high xhigh', 'none'],
  ['gpt-5.5-pro gpt-5.4-pro gpt-5.2-pro', 'medium high xhigh', 'medium'],
  ['gpt-5.1', 'none low medium high', 'none'],
  ['gpt-5 gpt-5-mini gpt-5-nano', 'minimal low medium high', 'medium'],
  ['gpt-5-pro', 'high', 'high'],
  ['o1 o1-pro o3 o3-pro o3-mini o4-mini', 'low medium high', 'medium'],
];

const ANY_EFFORT: ReasoningRules = { efforts: ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'], defaultEffort: 'medium' };

/** The rules of a family of reasoning models; one that is in no table accepts anything. */
export function findReasoningRules(family: string): ReasoningRules {
  const row = BY_FAMILY.find(([families]) => families.split(' ').includes(family));
  return row === undefined ? ANY_EFFORT : { efforts: row[1].split(' '), defaultEffort: row[2] };
}

/** Where a request sets the effort, and the wording of its endpoint's refusal. */
interface Asked {
  readonly isChat: boolean;
  readonly model: string;
  /** Null: the model does not reason. */
  readonly reasoning: ReasoningRules | null;
}

/**
 * Refuses an unsupported effort, and, while reasoning, parameters that only models that answer at once accept, in the words of the endpoint
 * (anomalyco/opencode#4451, marimo-team/marimo#6368, johny-b/llmcomp#69). Throws WireError 400.
 */
export function checkReasoning(body: Readonly<Record<string, unknown>>, { isChat, model, reasoning }: Asked): void {
  const effort = readEffort(body);
  if (typeof effort === 'string') checkEffort(effort, { isChat, model, reasoning });
  if (reasoning === null || (effort ?? reasoning.defaultEffort) === 'none') return;
  for (const param of ['temperature', 'top_p']) {
    const value = body[param];
    if (typeof value !== 'number' || value === 1) continue;
    if (!isChat) throw unsupported(param);
    const message = `Unsupported value: '${param}' does not support ${value} with this model. Only the default (1) value is supported.`;
    throw new WireError(400, { message, param, code: 'unsupported_value' });
  }
  if (body.logprobs === true) throw unsupported('logprobs');
  if (typeof body.top_logprobs === 'number' && body.top_logprobs > 0) throw unsupported('top_logprobs');
}

/** The effort in a body, under either endpoint's name. */
export function readEffort({ reasoning_effort: chat, reasoning }: Readonly<Record<string, unknown>>): unknown {
  return chat ?? (reasoning as { readonly effort?: unknown } | null | undefined)?.effort;
}

function checkEffort(effort: string, { isChat, model, reasoning }: Asked): void {
  if (reasoning === null) {
    if (!isChat) throw unsupported('reasoning.effort');
    throw new WireError(400, { message: 'Unrecognized request argument supplied: reasoning_effort' });
  }
  if (reasoning.efforts.includes(effort)) return;
  const words = isChat
    ? `'reasoning_effort' does not support '${effort}' with this model.`
    : `'${effort}' is not supported with the '${model}' model.`;
  const message = `Unsupported value: ${words} Supported values are: ${listValues(reasoning.efforts)}.`;
  throw new WireError(400, { message, param: isChat ? 'reasoning_effort' : 'reasoning.effort', code: 'unsupported_value' });
}

function unsupported(param: string): WireError {
  return new WireError(400, {
    message: `Unsupported parameter: '${param}' is not supported with this model.`,
    param,
    code: 'unsupported_parameter',
  });
}

function listValues(values: readonly string[]): string {
  const quoted = values.map((value) => `'${value}'`);
  return quoted.length < 2 ? quoted.join('') : `${quoted.slice(0, -1).join(', ')}, and ${quoted.at(-1)}`;
}
