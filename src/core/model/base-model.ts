const FINE_TUNED = /^ft:([^:]+)/i;
const SNAPSHOT = /-\d{4}-\d{2}-\d{2}$/;

/** Whether a name is that of a fine-tuned model: `ft:gpt-4o-mini:acme::id`. */
export function isFineTuned(model: string): boolean {
  return FINE_TUNED.test(model);
}

/** The names under which a table may list a model, nearest first: its own, or that of its base model; then without the snapshot date. */
export function listBaseNames(model: string): readonly [string, string] {
  const name = (FINE_TUNED.exec(model)?.[1] ?? model).toLowerCase();
  return [name, name.replace(SNAPSHOT, '')];
}
