import { type ConstantPart, makeConstantPart, shrinkConstantPart } from './constant-part.ts';
import { countRequestTokens } from './request-tokens.ts';
import { createFeatureReader, FEATURES } from './text-features.ts';
import { fitWeights, makeDefaultWeights, type TokenWeights } from './token-weights.ts';
import { type CountTokens, encodingOf, loadTokenizer } from './tokenizer.ts';

/** Estimates the prompt tokens of request bodies, cheaply enough for every row. */
export interface TokenEstimator {
  /** Tokens of a text. */
  estimate(text: string): number;
  /**
   * Prompt tokens of a chat completions body. The common start and end of all bodies so far is counted once; only the rest is examined.
   */
  estimateRequest(body: string): number;
  /**
   * What to charge for a body if a limit must not be exceeded: the estimate, the schema's text, and a margin of 5 % if fitted,
   * 20 % if not. It is meant to hold for the sum over a shard, not for every row.
   */
  estimateRequestTokens(body: string): number;
  /** Tokens that were the same in all bodies so far, approximately: at the start of the prompt, and anywhere in it. */
  constantTokens(): { readonly leading: number; readonly all: number };
  /** The common start of all bodies so far. */
  readConstantBeginning(): string;
}

/** An estimator that has the tokenizer: it can count, and learn from counts. */
export interface ExactTokenEstimator extends TokenEstimator {
  countExactly(text: string): number;
  /** Prompt tokens of a body; null if it is not a chat completions body. */
  countRequestExactly(body: string): number | null;
  /** The same with the schema's text, and the estimate for anything that is not a chat completions body. */
  countForLimits(body: string): number;
  /** Learns the table's tokens per character from some of its bodies (200 suffice); each call starts again. */
  fit(bodies: readonly string[]): void;
}

const UNFITTED_MARGIN = 1.2;
const FITTED_MARGIN = 1.05;

/** An estimator that loads nothing: general weights, accurate to about 10 % in total in most languages, 35 % in rare ones. */
export function createHeuristicTokenEstimator(options: { readonly model: string }): TokenEstimator {
  const weights = makeDefaultWeights(encodingOf(options.model));
  const measure = createMeasure();
  const estimate = (text: string) => measure.weigh(text, 0, text.length, false, weights);
  return createEstimator({ measure, estimate, countConstant: estimate, readWeights: () => weights, readMargin: () => UNFITTED_MARGIN });
}

/** An estimator with the model's tokenizer, which is loaded when it is first needed. Constant text is counted exactly. */
export function createTokenEstimator(options: { readonly model: string }): ExactTokenEstimator {
  const encoding = encodingOf(options.model);
  let loaded: CountTokens | null = null;
  const countTokens: CountTokens = (text) => {
    loaded ??= loadTokenizer(encoding);
    return loaded(text);
  };
  const defaults = makeDefaultWeights(encoding);
  const measure = createMeasure();
  let weights = defaults;
  let margin = UNFITTED_MARGIN;
  const estimator = createEstimator({
    measure,
    estimate: (text) => measure.weigh(text, 0, text.length, false, weights),
    countConstant: countTokens,
    readWeights: () => weights,
    readMargin: () => margin,
  });
  const countRepeated = rememberTexts(countTokens);
  const countRequestExactly = (body: string) => countRequestTokens(body, countRepeated)?.messageTokens ?? null;
  return {
    ...estimator,
    countExactly: countTokens,
    countRequestExactly,
    countForLimits(body) {
      const tokens = countRequestTokens(body, countRepeated);
      return tokens === null ? estimator.estimateRequestTokens(body) : tokens.messageTokens + tokens.schemaTokens;
    },
    fit(bodies) {
      for (const body of bodies) estimator.cover(body);
      const samples = bodies.flatMap((body) => {
        const tokens = countRequestExactly(body);
        const part = estimator.cover(body);
        if (tokens === null) return [];
        return [{ features: measure.read(body, ...middleOf(part, body), true), tokens: tokens - part.tokens.messageTokens }];
      });
      weights = fitWeights(samples, defaults);
      margin = FITTED_MARGIN;
    },
  };
}

/** Instructions and schemas are the same in every request: a known text is not counted again. */
function rememberTexts(countTokens: CountTokens): CountTokens {
  const known = new Map<string, number>();
  return (text) => {
    const tokens = known.get(text) ?? countTokens(text);
    known.delete(text);
    known.set(text, tokens);
    if (known.size > REMEMBERED_TEXTS) known.delete(known.keys().next().value as string);
    return tokens;
  };
}

/** Messages of several requests: those of every request stay cached, those of one row are soon dropped. */
const REMEMBERED_TEXTS = 32;

interface EstimatorParts {
  readonly measure: Measure;
  readonly estimate: CountTokens;
  readonly countConstant: CountTokens;
  readonly readWeights: () => TokenWeights;
  readonly readMargin: () => number;
}

function createEstimator(parts: EstimatorParts): TokenEstimator & { cover(body: string): ConstantPart } {
  let constantPart: ConstantPart | null = null;
  let prefix = '';
  let suffix = '';
  const isCovered = (part: ConstantPart, body: string) =>
    (body.length >= prefix.length + suffix.length && body.startsWith(prefix) && body.endsWith(suffix)) || body === part.sample;

  const cover = (body: string): ConstantPart => {
    if (constantPart !== null && isCovered(constantPart, body)) return constantPart;
    constantPart =
      constantPart === null ? makeConstantPart(body, parts.countConstant) : shrinkConstantPart(constantPart, body, parts.countConstant);
    const { sample, prefixLength, suffixLength } = constantPart;
    prefix = sample.slice(0, prefixLength);
    suffix = sample.slice(sample.length - suffixLength);
    return constantPart;
  };
  const estimateVarying = (part: ConstantPart, body: string) =>
    parts.measure.weigh(body, ...middleOf(part, body), true, parts.readWeights());

  return {
    cover,
    estimate: parts.estimate,
    estimateRequest(body) {
      const part = cover(body);
      return Math.round(part.tokens.messageTokens + estimateVarying(part, body));
    },
    estimateRequestTokens(body) {
      const part = cover(body);
      const { messageTokens, schemaTokens } = part.tokens;
      return Math.ceil((messageTokens + schemaTokens + estimateVarying(part, body)) * parts.readMargin());
    },
    readConstantBeginning: () => prefix,
    constantTokens: () => ({
      leading: Math.round(parts.measure.weigh(prefix, 0, prefix.length, true, parts.readWeights())),
      all: constantPart?.tokens.messageTokens ?? 0,
    }),
  };
}

/** The start and end of a body's varying part; empty for the sample itself while it is the only body. */
function middleOf({ prefixLength, suffixLength }: ConstantPart, body: string): [start: number, end: number] {
  return [prefixLength, Math.max(prefixLength, body.length - suffixLength)];
}

type Measure = ReturnType<typeof createMeasure>;

/** Reads features into one array that is reused. */
function createMeasure() {
  const reader = createFeatureReader();
  const scratch = new Float64Array(FEATURES);
  return {
    /** Features of a part of a text, in a separate array. */
    read(text: string, start: number, end: number, isJson: boolean): Float64Array {
      const features = new Float64Array(FEATURES);
      reader.add(features, text, start, end, isJson);
      return features;
    },
    /** Estimated tokens of a part of a text; never negative, whatever the weights. */
    weigh(text: string, start: number, end: number, isJson: boolean, weights: TokenWeights): number {
      scratch.fill(0);
      reader.add(scratch, text, start, end, isJson);
      let tokens = 0;
      for (let feature = 0; feature < FEATURES; feature++) tokens += (scratch[feature] as number) * (weights[feature] as number);
      return Math.max(0, tokens);
    },
  };
}
