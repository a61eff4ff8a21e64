import { hashFraction } from '../hash.ts';
import { createLifelikeValues } from '../lifelike/lifelike-values.ts';
import type { ModelRules } from '../model-rules.ts';
import { createPlainValues } from '../plain/plain-values.ts';
import { type AnswerFaultRequest, spoilText } from './answer-faults.ts';
import type { AnswerFormat } from './answer-format.ts';
import type { AnswerStyle } from './answer-types.ts';
import { makeJsonModeAnswer, makeLabelAnswer } from './json-mode-answer.ts';
import type { PromptMessage } from './prompt.ts';
import { makeAnswer } from './schema-answer.ts';
import { createSlippingValues } from './slipping-values.ts';
import { countTokens } from './tokens.ts';

/** One answer to a prompt, before it takes the form of an endpoint. */
export interface Completion {
  readonly text: string;
  readonly end: 'stop' | 'length' | 'content_filter' | 'tool_calls' | 'refusal';
  /** Tokens of text and reasoning together: what the answer costs. */
  readonly tokens: number;
  readonly reasoningTokens: number;
}

/** The input of a completion. */
export interface CompletionRequest {
  readonly prompt: readonly PromptMessage[];
  readonly format: AnswerFormat;
  readonly rules: ModelRules;
  /** The most tokens of text and reasoning together. Undefined: no cap was given. */
  readonly capTokens: number | undefined;
  readonly effort: unknown;
  /** Seed and content of the request as one string: equal requests get equal answers. */
  readonly drawSeed: string;
  readonly style: AnswerStyle;
  /** Whether to give another answer than the best. */
  readonly slips: boolean;
  readonly fault: AnswerFaultRequest | undefined;
}

const REASONING_TOKENS: Readonly<Record<string, number>> = { none: 0, minimal: 0, low: 32, medium: 64, high: 192, xhigh: 384, max: 768 };

/** Answers a prompt usably, or as the fault requires. Deterministic. Reasoning gives way to the text if the cap has room for it. */
export function completePrompt(request: CompletionRequest): Completion {
  const { fault, capTokens } = request;
  const usable = writeText(request);
  const text = fault === undefined ? usable : spoilText(usable, fault);
  const textTokens = countTokens(text);
  const { reasoning } = request.rules;
  const wanted = reasoning === null ? 0 : (REASONING_TOKENS[String(request.effort ?? reasoning.defaultEffort)] ?? 64);
  const reasoningTokens = Math.max(0, Math.min(wanted, (capTokens ?? Number.POSITIVE_INFINITY) - textTokens));
  const whole = { text, tokens: textTokens + reasoningTokens, reasoningTokens };
  switch (fault?.kind) {
    case 'refusal':
      return { ...whole, text: "I'm sorry, I can't help with that.", end: 'refusal', tokens: 11 + reasoningTokens };
    case 'content_filter':
      return { ...cut(whole, Math.ceil(textTokens / 2)), end: 'content_filter' };
    case 'tool_calls':
      return { ...whole, end: 'tool_calls' };
    case 'length':
      return { ...cut(whole, Math.ceil(textTokens / 2)), tokens: capTokens ?? Math.ceil(textTokens / 2) + reasoningTokens, end: 'length' };
    case 'reasoning_eats_cap':
      return { text: '', end: 'length', tokens: capTokens ?? wanted, reasoningTokens: capTokens ?? wanted };
    default:
      break;
  }
  if (capTokens === undefined || textTokens <= capTokens) return { ...whole, end: 'stop' };
  // A text set by a fault is complete; it costs no more than the cap.
  if (text !== usable) return { ...whole, tokens: capTokens, end: 'stop' };
  if (request.rules.isReasoning) return { text: '', end: 'length', tokens: capTokens, reasoningTokens: capTokens };
  return { ...cut(whole, capTokens), end: 'length' };
}

function writeText({ prompt, format, drawSeed, style, slips, fault }: CompletionRequest): string {
  const texts = prompt.map((message) => message.text);
  const draw = (name: string) => hashFraction(drawSeed, name);
  const labels = texts.length === 1 && format.type === 'json_schema' ? listLabels(format.schema) : [];
  const made = style === 'plain' ? createPlainValues(texts, draw) : createLifelikeValues(texts, draw, labels);
  const maker = slips || fault?.kind === 'slip' ? createSlippingValues(made) : made;
  switch (format.type) {
    case 'json_schema':
      return JSON.stringify(makeAnswer(format.schema, maker));
    case 'json_object':
      return JSON.stringify(makeJsonModeAnswer(texts, maker));
    case 'text':
      return makeLabelAnswer(texts, maker) ?? maker.text({ name: 'answer', item: 0 });
    default:
      return format satisfies never;
  }
}

/** Every string that a schema lists as a value. */
function listLabels(schema: unknown): readonly string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const values = Object.entries(schema).flatMap(([key, value]) =>
    key === 'enum' && Array.isArray(value) ? value.filter((one) => typeof one === 'string') : listLabels(value),
  );
  return [...new Set(values)];
}

/** Keeps the share of the text that the tokens pay for, whole code points only. */
function cut(whole: { readonly text: string; readonly tokens: number; readonly reasoningTokens: number }, tokens: number) {
  const textTokens = whole.tokens - whole.reasoningTokens;
  const letters = [...whole.text];
  const kept = letters.slice(0, Math.floor((letters.length * tokens) / Math.max(textTokens, 1))).join('');
  return { text: kept, tokens: tokens + whole.reasoningTokens, reasoningTokens: whole.reasoningTokens };
}
