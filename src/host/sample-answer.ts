/**
 * An answer that fits a JSON Schema, made by the simulator: a check can be tried on it before anything is sent. Null if no such answer
 * can be made.
 */
export async function makeSampleAnswer(schema: Readonly<Record<string, unknown>>): Promise<unknown> {
  const [{ makeAnswer }, { createPlainValues }] = await Promise.all([
    import('../simulator/answers/schema-answer.ts'),
    import('../simulator/plain/plain-values.ts'),
  ]);
  try {
    return makeAnswer(
      schema,
      createPlainValues(['a sample'], () => 0.5),
    );
  } catch {
    return null;
  }
}
