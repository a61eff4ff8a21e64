import type { Example } from './request/choose-examples.ts';
import type { CompiledMessage } from './request/request-body.ts';
import type { CompiledTemplate } from './request/template.ts';

/** Puts examples before the last message, each as what was asked and what the right answer is. */
export function insertExamples(messages: readonly CompiledMessage[], examples: readonly Example[]): readonly CompiledMessage[] {
  if (examples.length === 0) return messages;
  const shown = examples.flatMap(({ user, assistant }) => [
    { role: 'user', template: makeLiteral(user), images: [] },
    { role: 'assistant', template: makeLiteral(assistant), images: [] },
  ]);
  return [...messages.slice(0, -1), ...shown, ...messages.slice(-1)];
}

/** Text that is no template: braces in it are braces. */
export function makeLiteral(text: string): CompiledTemplate {
  return { columns: [], pieces: [text], literalText: text, render: () => text };
}
