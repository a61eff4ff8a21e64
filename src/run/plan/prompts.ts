import { countAnswerCaps, type Request } from '../../core/request.ts';
import { CACHED_FROM_TOKENS } from '../../money/prompt-cache.ts';
import type { EstimatedPrompt } from '../../money/tokens/job-tokens.ts';
import type { ModelTokens } from '../../money/tokens/model-tokens.ts';
import type { ParamSet } from '../open/opening.ts';
import type { PromptSum } from './cost.ts';

/** Prompt tokens of everything that would be sent, in constant memory. */
export interface PromptCount {
  /**
   * @param set how its parameters differ from the job's; usually empty
   * @returns an estimate of this request's tokens, images included
   */
  add(request: Request, set: ParamSet): number;
  /** A request answered earlier: its billed tokens show the error of counting. */
  offerAnswered(request: Request, id: number): void;
  /** Called between rows: fits the estimate to the table as soon as enough of it was seen. */
  learn(): void;
  finish(readInputTokens: (id: number, key: string) => number | null): CountedPrompts;
}

/** Prompts that are sent with the same parameters. */
export interface PromptGroup {
  readonly set: ParamSet;
  readonly short: PromptSum;
  readonly long: PromptSum;
}

export interface CountedPrompts {
  /** The first are those with the job's own parameters. */
  readonly groups: readonly PromptGroup[];
  /** Those long enough to be written to the prompt cache. */
  readonly writable: Pick<PromptSum, 'requests' | 'tokens'>;
  readonly exactSample: number;
  readonly inputMeasured: number;
  /** Tokens all prompts begin with. */
  readonly leadingTokens: number;
  /** Tokens that are the same in all prompts, wherever they are. */
  readonly constantTokens: number;
  /** Images of unknown size, and by how many tokens they can exceed their count. */
  readonly unsizedImages: number;
  readonly unsizedTokens: number;
  readonly hasImages: boolean;
  /** The factor for the estimates returned by `add`. */
  readonly factor: number;
}

export interface PromptCountOptions {
  /** Longer prompts of that model are summed separately. */
  readonly longOverTokens: (request: Pick<Request, 'model'>) => number;
  /** Whether samples are counted with the tokenizer. */
  readonly isExact: boolean;
}

/** Requests counted exactly: 200 determine a table's tokens per character to about 1 %. */
const SAMPLE_REQUESTS = 200;
const SEED = 1;
/** Fewer measured requests correct nothing. */
const ENOUGH_MEASURED = 10;

export function createPromptCount(tokens: ModelTokens, { longOverTokens, isExact }: PromptCountOptions): PromptCount {
  const sample = createReservoir<SampledPrompt>(SAMPLE_REQUESTS, SEED);
  const answered = createReservoir<SampledPrompt & { readonly id: number }>(SAMPLE_REQUESTS, SEED);
  const makeGroup = (set: ParamSet) => ({ set, short: { ...NOTHING }, long: { ...NOTHING } });
  const own = makeGroup({});
  const groups = new Map([['{}', own]]);
  const writable = { requests: 0, tokens: 0 };
  let hasLearned = !isExact;
  let hasImages = false;
  let unsizedImages = 0;
  let unsizedTokens = 0;

  /** The error of estimates: on the sample, and between our count and what was billed for answered requests. */
  function measure(readInputTokens: (id: number, key: string) => number | null) {
    if (!isExact || sample.kept.length === 0) return { factor: 1, inputMeasured: 0 };
    const count = ({ request, text, images, tokens: estimate }: SampledPrompt) => {
      const exact = tokens.of(request).exact().countRequestExactly(text);
      return exact === null ? estimate : exact + images.tokens;
    };
    const errors = sample.kept.map((prompt) => ({ actual: count(prompt), expected: prompt.tokens }));
    const billed = answered.kept.flatMap((prompt) => {
      const actual = readInputTokens(prompt.id, prompt.request.key);
      return actual === null ? [] : [{ actual, expected: count(prompt) }];
    });
    const isMeasured = billed.length >= ENOUGH_MEASURED;
    return { factor: ratio(errors) * (isMeasured ? ratio(billed) : 1), inputMeasured: isMeasured ? billed.length : 0 };
  }

  function groupOf(set: ParamSet) {
    if (Object.keys(set).length === 0) return own;
    const name = JSON.stringify(set);
    const group = groups.get(name) ?? makeGroup(set);
    groups.set(name, group);
    return group;
  }

  return {
    add(request, set) {
      const prompt = tokens.of(request).estimate(request.body);
      const sum = groupOf(set)[prompt.tokens > longOverTokens(request) ? 'long' : 'short'];
      sum.requests += 1;
      sum.tokens += prompt.tokens;
      sum.answerCaps += countAnswerCaps(request.customId);
      if (prompt.tokens >= CACHED_FROM_TOKENS) {
        writable.requests += 1;
        writable.tokens += prompt.tokens;
      }
      hasImages ||= prompt.images.tokens > 0;
      unsizedImages += prompt.images.unsized;
      unsizedTokens += prompt.images.unsizedTokens;
      if (isExact) sample.offer(() => ({ ...prompt, request: nameOf(request) }));
      return prompt.tokens;
    },
    offerAnswered(request, id) {
      if (isExact) answered.offer(() => ({ ...tokens.of(request).estimate(request.body), request: nameOf(request), id }));
    },
    learn() {
      if (hasLearned || sample.kept.length < SAMPLE_REQUESTS) return;
      hasLearned = true;
      for (const model of new Set(sample.kept.map(({ request }) => request.model))) {
        const asked = sample.kept.filter(({ request }) => request.model === model);
        tokens.of(asked[0]?.request ?? {}).learn(asked.map(({ text }) => text));
      }
    },
    finish(readInputTokens) {
      const { factor, inputMeasured } = measure(readInputTokens);
      const scale = (sum: PromptSum) => ({ ...sum, tokens: Math.round(sum.tokens * factor) });
      const isOfOneModel = sample.kept.every(({ request }) => request.model === sample.kept[0]?.request.model);
      // The shared prefix over several models is cached by none of them for the others.
      const { leading, all } = isOfOneModel ? tokens.own.constantTokens() : { leading: 0, all: 0 };
      return {
        groups: [...groups.values()].map(({ set, short, long }) => ({ set, short: scale(short), long: scale(long) })),
        writable: { requests: writable.requests, tokens: Math.round(writable.tokens * factor) },
        exactSample: isExact ? sample.kept.length : 0,
        inputMeasured,
        leadingTokens: leading,
        constantTokens: all,
        unsizedImages,
        unsizedTokens,
        hasImages,
        factor,
      };
    },
  };
}

interface SampledPrompt extends EstimatedPrompt {
  readonly request: Pick<Request, 'key' | 'model'>;
}

/** Without its body, of which only the text is kept. */
function nameOf({ key, model }: Request): SampledPrompt['request'] {
  return model === undefined ? { key } : { key, model };
}

const NOTHING: PromptSum = { requests: 0, tokens: 0, answerCaps: 0 };

function ratio(pairs: readonly { readonly actual: number; readonly expected: number }[]): number {
  const expected = pairs.reduce((sum, pair) => sum + pair.expected, 0);
  return expected === 0 ? 1 : pairs.reduce((sum, pair) => sum + pair.actual, 0) / expected;
}

/** Keeps a number of the items offered, each with the same chance, however many there are; the same ones for the same seed. */
interface Reservoir<T> {
  /** Makes the item only if it is kept. */
  offer(make: () => T): void;
  readonly kept: readonly T[];
}

function createReservoir<T>(size: number, seed: number): Reservoir<T> {
  const kept: T[] = [];
  let state = (seed * 48_271 + 11) % 2_147_483_647;
  let offered = 0;

  /** Uniform among 0 … below - 1 (Lehmer’s generator). */
  function draw(below: number): number {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  }

  return {
    kept,
    offer(make) {
      offered += 1;
      if (kept.length < size) {
        kept.push(make());
        return;
      }
      const place = draw(offered);
      if (place < size) kept[place] = make();
    },
  };
}
