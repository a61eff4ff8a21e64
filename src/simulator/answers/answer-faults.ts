/** How an answered (and billed) request may become unusable (`slip`: usable, but not the best answer); both lanes, any endpoint that writes text. */
export const ANSWER_FAULTS = [
  'refusal',
  'length',
  'reasoning_eats_cap',
  'content_filter',
  'tool_calls',
  'no_choices',
  'empty',
  'several_outputs',
  'invalid_json',
  'wrong_schema',
  'prose',
  'lead_in',
  'fenced',
  'duplicate_key',
  'not_a_number',
  'huge_number',
  'large_integer',
  'lone_surrogate',
  'proto_key',
  'deep_nesting',
  'usage_missing',
  'usage_negative',
  'usage_fraction',
  'tier_downgraded',
  'failed_response',
  'slip',
] as const;

export type AnswerFault = (typeof ANSWER_FAULTS)[number];

/** What a fault plan requires of one answer: a kind, the exact text, or the whole body. */
export type AnswerFaultRequest =
  | { readonly kind: AnswerFault }
  | { readonly kind: 'text'; readonly text: string }
  /** A body as sent by a real provider. */
  | { readonly kind: 'world'; readonly body: Readonly<Record<string, unknown>> };

/** Spoils the text of a usable answer; kinds that are not about the text leave it unchanged. */
export function spoilText(text: string, fault: AnswerFaultRequest): string {
  switch (fault.kind) {
    case 'text':
      return fault.text;
    case 'empty':
      return '';
    case 'invalid_json':
      return text.startsWith('{') ? text.slice(0, -1).replace('":', '" ') : `{"${text}`;
    case 'wrong_schema':
      return '{"unexpected_field":["not what was asked"]}';
    case 'prose':
      return `Sure! Here is the answer you asked for:\n\n${text}\n\nLet me know if you need anything else.`;
    case 'lead_in':
      return `Here is the answer you asked for:\n\n${text}`;
    case 'fenced':
      return `\`\`\`json\n${text}\n\`\`\``;
    case 'duplicate_key':
      return text.startsWith('{"') ? text.replace(/^\{("[^"]*":)/, '{$1null,$1') : text;
    case 'not_a_number':
      return replaceFirstValue(text, 'NaN');
    case 'huge_number':
      return replaceFirstValue(text, '1e999');
    case 'large_integer':
      return replaceFirstValue(text, '9007199254740993');
    case 'lone_surrogate':
      return replaceFirstValue(text, '"\\ud800"');
    case 'proto_key':
      return text.startsWith('{') ? text.replace('{', '{"__proto__":{"polluted":true},') : text;
    case 'deep_nesting':
      return '['.repeat(100_000) + ']'.repeat(100_000);
    default:
      return text;
  }
}

/** Replaces the first value of an object's text: a string, or anything up to the next comma or bracket. */
function replaceFirstValue(text: string, value: string): string {
  return text.replace(/^(\{"[^"]*":)("(?:[^"\\]|\\.)*"|[^,}]*)/, (_, key: string) => key + value);
}
