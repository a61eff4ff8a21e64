import { FEATURES, type TextFeatures } from './text-features.ts';
import type { EncodingName } from './tokenizer.ts';

/** Tokens per feature of a text (text-features.ts has their order); a text's estimate is the sum of its features times these. */
export type TokenWeights = Float64Array;

/** Fitted to program messages, reviews, news and questions in 22 languages, 2026-11-22; what a table's own sample is fitted from. */
const DEFAULT_WEIGHTS: Readonly<Record<EncodingName, readonly number[]>> = {
  // biome-ignore format: one line per group of features reads best
  o200k_base: [
    0.052, 0.237, 0.624, 0.27, 0.37, 0.301, 0.41, 0.745, 0.487, 0.488, 0.297, 0.176, 0.975, 0.47, 1.069, 0.066, 0.92,
    0.36, 0.004, 0.016, -0.214, 0.147, 0.695, 0.281, 1.19, 0.223, -0.494, 0.331, 1.101, 2.971,
    0.054, -0.085,
  ],
  // biome-ignore format: one line per group of features reads best
  cl100k_base: [
    0.042, 0.279, 1.46, 0.395, 0.935, 0.674, 0.859, 1.169, 0.687, 0.971, 0.268, 0.116, 0.529, 0.497, 1.436, 0.042, 1.54,
    0.173, 0.171, 0.256, 1.307, -0.198, 1.057, -0.238, 1.35, 0.535, 0.232, 0.318, 1.117, 3.981,
    0.053, -0.013,
  ],
};

/** The weights to use before, or without, a sample of the table. */
export function makeDefaultWeights(encoding: EncodingName): TokenWeights {
  return Float64Array.from(DEFAULT_WEIGHTS[encoding]);
}

/** A text whose tokens were counted. */
export interface WeighedSample {
  readonly features: TextFeatures;
  readonly tokens: number;
}

/** How many samples the prior weights count as. */
const PRIOR_STRENGTH = 2;
/** Errors are relative to a text's length, except for texts so short that one token more is half of them. */
const SHORT_TEXT_TOKENS = 8;

/** Ridge regression towards `prior`: features the samples do not show keep their prior weight. */
export function fitWeights(samples: readonly WeighedSample[], prior: TokenWeights): TokenWeights {
  const matrix = Array.from({ length: FEATURES }, (_, row) => {
    const equation = new Float64Array(FEATURES + 1);
    equation[row] = PRIOR_STRENGTH;
    equation[FEATURES] = PRIOR_STRENGTH * (prior[row] as number);
    return equation;
  });
  for (const { features, tokens } of samples) {
    const trust = 1 / Math.max(SHORT_TEXT_TOKENS, tokens);
    matrix.forEach((equation, row) => {
      const scale = trust * (features[row] as number);
      if (scale === 0) return;
      for (let column = 0; column < FEATURES; column++) (equation[column] as number) += scale * (features[column] as number);
      (equation[FEATURES] as number) += scale * tokens;
    });
  }
  return solve(matrix);
}

/** Gaussian elimination; the prior on the diagonal keeps every pivot positive. */
function solve(matrix: readonly Float64Array[]): Float64Array {
  matrix.forEach((pivotRow, pivot) => {
    for (const equation of matrix.slice(pivot + 1)) {
      const factor = (equation[pivot] as number) / (pivotRow[pivot] as number);
      if (factor === 0) continue;
      for (let column = pivot; column <= FEATURES; column++) (equation[column] as number) -= factor * (pivotRow[column] as number);
    }
  });
  const solution = new Float64Array(FEATURES);
  for (let row = FEATURES - 1; row >= 0; row--) {
    const equation = matrix[row] as Float64Array;
    let rest = equation[FEATURES] as number;
    for (let column = row + 1; column < FEATURES; column++) rest -= (equation[column] as number) * (solution[column] as number);
    solution[row] = rest / (equation[row] as number);
  }
  return solution;
}
