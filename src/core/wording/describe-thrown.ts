/** Describes a thrown value, which may be anything. */
export function describeThrown(thrown: unknown): string {
  try {
    return thrown instanceof Error ? String(thrown.message) : String(thrown);
  } catch {
    return 'a value that is not an error was thrown';
  }
}
