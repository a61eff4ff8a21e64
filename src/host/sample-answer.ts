/**
 * An answer that fits a JSON Schema, as the simulator gives one: what a check can be tried on before anything is asked. Null where no such answer
 * can be made up.
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
