import { isDeepStrictEqual } from 'node:util';
import type { Job } from '../../core/job.ts';
import type { Path } from '../../core/problem-path.ts';
import { listWireNames } from './params.ts';

type Params = Readonly<Record<string, unknown>>;

/** Members of a body that are set by other keys of the job, with what to use instead. */
const DECIDED_ELSEWHERE: Readonly<Record<string, string>> = {
  model: 'write model: at the top of the job',
  messages: 'write prompt: or messages:',
  input: 'write prompt:',
  stream: 'answers are always taken whole',
  n: 'write votes:',
  response_format: 'write output:',
  text: 'write output:, and params.verbosity',
  store: 'rowmill decides what is stored at the provider',
  max_output_tokens: 'write params.max_output_tokens',
};
/** Possible names of a cap. */
const CAP_NAMES = ['max_tokens', 'max_completion_tokens'] as const;
/** Tiers have prices, which a budget must know. */
const OPENAI_TIERS: readonly unknown[] = ['auto', 'default', 'flex', 'priority', 'fast', 'scale'];

/** The members that the job adds to the body unchanged: `params.extra`; empty without any. */
export function readExtra(params: Params): Params {
  const { extra } = params;
  return typeof extra === 'object' && extra !== null && !Array.isArray(extra) ? (extra as Params) : {};
}

/** The reasoning effort of a request, wherever the job sets it: as a parameter, or in `params.extra` in the form of chat completions or responses. */
export function readEffort(params: Params): unknown {
  const { reasoning_effort, reasoning } = { ...readExtra(params), ...params };
  return reasoning_effort ?? (reasoning as { readonly effort?: unknown } | null | undefined)?.effort;
}

/** The name of the output cap in `params.extra`; null if it has none. */
export function findCapName(params: Params): string | null {
  const extra = readExtra(params);
  return CAP_NAMES.find((name) => Object.hasOwn(extra, name)) ?? null;
}

/** A cap in `params.extra` is the job's cap. */
export function withCapOfExtra(params: Params): Params {
  const name = findCapName(params);
  return name === null ? params : { max_output_tokens: readExtra(params)[name], ...params };
}

/** The parameters after `--set`: a new cap replaces the job's cap under its name. */
export function setParams(params: Params, set: Params): Params {
  const merged = { ...params, ...set };
  const name = findCapName(merged);
  if (name === null) return merged;
  if (set.max_output_tokens === undefined) return { ...merged, max_output_tokens: readExtra(merged)[name] };
  return { ...merged, extra: { ...readExtra(merged), [name]: set.max_output_tokens } };
}

/** What is wrong with `params.extra`: members set by other keys, repeated members, or values that are not JSON. */
export function findExtraProblems({ endpoint, params }: Pick<Job, 'endpoint' | 'params'>): readonly { path: Path; message: string }[] {
  const extra = readExtra(params);
  const taken = listWireNames(endpoint, { ...params, max_output_tokens: undefined });
  const complain = (name: string): string | null => {
    if (name === '__proto__') return 'is not a valid name';
    if (Object.hasOwn(DECIDED_ELSEWHERE, name)) return `cannot be set here; ${DECIDED_ELSEWHERE[name]}`;
    if (name === 'service_tier' && OPENAI_TIERS.includes(extra[name])) return 'write params.service_tier, so that its price is known';
    if (taken.has(name)) return `is already set by params.${taken.get(name)}; use one of them`;
    if (!isJson(extra[name])) return 'is not a JSON value';
    return (CAP_NAMES as readonly string[]).includes(name) ? complainOfCap(name, params) : null;
  };
  return Object.keys(extra).flatMap((name) => {
    const complaint = complain(name);
    return complaint === null ? [] : [{ path: ['params', 'extra', name], message: `params.extra.${name}: ${complaint}` }];
  });
}

function complainOfCap(name: string, params: Params): string | null {
  const cap = readExtra(params)[name];
  if (!Number.isSafeInteger(cap) || Number(cap) < 1) return 'must be a whole number from 1: it is the job’s output cap';
  if (name !== findCapName(params)) return `is a second output cap next to ${findCapName(params)}; use one of them`;
  if (params.max_output_tokens !== undefined && params.max_output_tokens !== cap)
    return 'differs from params.max_output_tokens; use one of them';
  return null;
}

function isJson(value: unknown): boolean {
  try {
    return isDeepStrictEqual(JSON.parse(JSON.stringify(value)), value);
  } catch {
    return false;
  }
}
