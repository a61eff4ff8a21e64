/** The most output tokens a body allows, over all its votes; null where it sets no cap. */
export function readCapTokens(body: string): number | null {
  const parsed = JSON.parse(body) as Readonly<Record<string, unknown>>;
  const cap = parsed.max_completion_tokens ?? parsed.max_output_tokens ?? parsed.max_tokens;
  if (typeof cap !== 'number') return null;
  return cap * (typeof parsed.n === 'number' && parsed.n > 1 ? parsed.n : 1);
}
