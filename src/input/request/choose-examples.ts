import { hash } from 'node:crypto';
import type { CompiledMessage } from './request-body.ts';
import type { CompiledTemplate } from './template.ts';

/** A row with its correct answer, shown to the model. */
export interface Example {
  /** The question. */
  readonly user: string;
  /** The correct answer, in the form in which a model would give it. */
  readonly assistant: string;
  /** Its label; empty if answers have none. */
  readonly label: string;
  /** Its position, for messages. */
  readonly place: string;
}

/** Chooses while rows stream by, and keeps no more of them than it may choose. */
export interface ExampleChooser {
  offer(example: Example): void;
  /** The chosen rows, in the order in which they are shown. */
  choose(): readonly Example[];
}

interface Drawn {
  readonly example: Example;
  readonly draw: string;
}

/**
 * A choice that depends on the seed and on the content of the rows, not on their order or number: a row added later changes it only if it is drawn
 * itself. Labels take turns, so that each is shown as long as there is room; the same question is used once.
 */
export function createExampleChooser({ count, seed }: { readonly count: number; readonly seed: number }): ExampleChooser {
  const byLabel = new Map<string, Drawn[]>();
  return {
    offer(example) {
      const draw = hash('sha256', `${seed}\n${example.user}\n${example.assistant}`);
      const drawn = byLabel.get(example.label) ?? [];
      byLabel.set(example.label, drawn);
      const last = drawn.at(-1);
      if (drawn.length >= count && last !== undefined && draw >= last.draw) return;
      const twin = drawn.findIndex(({ example: { user } }) => user === example.user);
      if (twin !== -1) {
        if (draw >= (drawn[twin] as Drawn).draw) return;
        drawn.splice(twin, 1);
      }
      drawn.push({ example, draw });
      drawn.sort(byDraw);
      drawn.length = Math.min(drawn.length, count);
    },
    choose() {
      const turns = [...byLabel.values()].flatMap((drawn) => drawn.map((one, turn) => ({ ...one, turn })));
      const ordered = turns.toSorted((a, b) => a.turn - b.turn || byDraw(a, b));
      const questions = new Set<string>();
      const chosen = ordered.filter(({ example: { user } }) => !questions.has(user) && questions.add(user));
      return chosen.slice(0, count).map(({ example }) => example);
    },
  };
}

function byDraw(a: Drawn, b: Drawn): number {
  return a.draw < b.draw ? -1 : 1;
}

/** Inserts examples before the last message, each as question and correct answer. */
export function insertExamples(messages: readonly CompiledMessage[], examples: readonly Example[]): readonly CompiledMessage[] {
  if (examples.length === 0) return messages;
  const shown = examples.flatMap(({ user, assistant }) => [
    { role: 'user', template: makeLiteral(user), images: [] },
    { role: 'assistant', template: makeLiteral(assistant), images: [] },
  ]);
  return [...messages.slice(0, -1), ...shown, ...messages.slice(-1)];
}

/** Text that is not a template: braces in it are braces. */
export function makeLiteral(text: string): CompiledTemplate {
  return { columns: [], pieces: [text], literalText: text, render: () => text };
}
