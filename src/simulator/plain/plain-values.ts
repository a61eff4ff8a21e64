import type { ValueMaker } from '../answers/value-maker.ts';
import { chooseValue, createEvidence } from './evidence.ts';
import { makeBoolean, makeNumber, makeText, nameSentiment } from './field-values.ts';

/** Values with minimal effort: they depend on the row, and stay the same from version to version. */
export function createPlainValues(texts: readonly string[], draw: (name: string) => number): ValueMaker {
  const evidence = createEvidence(texts, draw);
  return {
    choose: (values, { name }) => chooseValue(values, evidence, name),
    sentiment: () => nameSentiment(evidence),
    text: ({ name }) => makeText(name, evidence),
    number: ({ name }, bounds) => makeNumber(name, bounds, evidence),
    boolean: ({ name }) => makeBoolean(name, evidence),
    countItems: () => 1,
    isAbsent: () => false,
  };
}
