import { isDay } from '../core/day.ts';
import { type Problem, UsageError } from '../core/errors.ts';
import { showValue } from '../core/problem-path.ts';
import { suggest } from '../core/wording/suggest.ts';
import type { PlanSettings, RunSettings } from './settings.ts';
import { isThenable } from './thenable.ts';

/** What a setting has to be, in words that follow "give", and its test. */
interface Rule {
  readonly wanted: string;
  readonly isMet: (value: unknown) => boolean;
  /** A text may contain a password: it is not repeated. */
  readonly isSecret?: boolean;
}

/** Larger amounts cannot be counted exactly in nano-dollars. */
const MOST_USD = 9_007_199;

const flag: Rule = { wanted: 'true or false', isMet: (value) => typeof value === 'boolean' };
const rows: Rule = { wanted: 'a whole number from 1 on', isMet: (value) => Number.isSafeInteger(value) && Number(value) > 0 };
const text = (example: string): Rule => ({
  wanted: `a text, for example ${JSON.stringify(example)}`,
  isMet: (value) => typeof value === 'string' && value.trim() !== '' && !value.includes('\0'),
});
const listener: Rule = { wanted: 'a function', isMet: (value) => typeof value === 'function' };

const PLAN_RULES: Readonly<Record<keyof PlanSettings, Rule>> = {
  simulate: flag,
  baseUrl: text('http://127.0.0.1:8080/v1'),
  stateDir: text('state'),
  limit: rows,
  sample: rows,
  seed: { wanted: 'a whole number from 0 on', isMet: (value) => Number.isSafeInteger(value) && Number(value) >= 0 },
  fresh: flag,
  retryFailed: flag,
  priceAsOf: { wanted: 'a day, for example "2026-11-22"', isMet: (value) => typeof value === 'string' && isDay(value) },
  maxUsd: {
    wanted: `dollars from 0 to ${MOST_USD}`,
    isMet: (value) => typeof value === 'number' && value >= 0 && value <= MOST_USD,
  },
};

const RUN_RULES: Readonly<Record<keyof RunSettings, Rule>> = {
  ...PLAN_RULES,
  signal: { wanted: 'an AbortSignal, for example controller.signal', isMet: isSignal },
  onProgress: listener,
  onWarning: listener,
  yes: flag,
  waitMs: {
    wanted: 'milliseconds from 0 on; leave it out to wait to the end',
    isMet: (value) => Number.isFinite(value) && Number(value) >= 0,
  },
  redis: {
    wanted: 'a URL, for example "redis://127.0.0.1:6379"',
    isMet: (value) => typeof value === 'string' && /^rediss?:\/\//.test(value),
    isSecret: true,
  },
};

/**
 * Reads the settings of `plan()` or `run()`, as strictly as flags are: otherwise a misspelled setting in an untyped program could cost what it was meant to
 * prevent. `undefined` counts as absent. Each is read once: a getter may return something else the next time.
 * @throws UsageError with every problem
 */
export function readSettings(settings: unknown, of: 'plan'): PlanSettings;
export function readSettings(settings: unknown, of: 'run'): RunSettings;
export function readSettings(settings: unknown, of: 'plan' | 'run'): RunSettings {
  if (!isBag(settings))
    throw new UsageError(`${of}(): pass an object of settings, for example { simulate: true }, not ${nameKind(settings)}`);
  const rules: Readonly<Record<string, Rule>> = of === 'plan' ? PLAN_RULES : RUN_RULES;
  const given = Object.entries(rules).flatMap(([key, rule]) => (key in settings ? [{ key, rule, value: settings[key] }] : []));
  const unknown: PropertyKey[] = Object.getOwnPropertySymbols(settings);
  // Inherited properties count, too.
  for (const key in settings) if (!Object.hasOwn(rules, key)) unknown.push(key);
  const problems = [
    ...given.map(({ key, rule, value }) => ({ key, message: findFault(rule, value) })),
    ...unknown.map((key) => ({ key: String(key), message: explainUnknown(String(key), of, Object.keys(rules)) })),
  ].flatMap(({ key, message }): Problem[] => (message === null ? [] : [{ place: null, message: `${key}: ${message}` }]));
  if (problems.length > 0) throw new UsageError(problems);
  return Object.fromEntries(given.map(({ key, value }) => [key, value]));
}

/** Maps, dates and promises contain no settings: an un-awaited promise would use the API instead of the simulator. */
function isBag(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && Object.prototype.toString.call(value) === '[object Object]' && !isThenable(value);
}

function nameKind(value: unknown): string {
  const shown = showSetting(value);
  return shown === 'an object' ? `one of the class ${Object.prototype.toString.call(value).slice('[object '.length, -1)}` : shown;
}

function findFault({ wanted, isMet, isSecret = false }: Rule, value: unknown): string | null {
  if (value === undefined || isMet(value)) return null;
  return `give ${wanted}, not ${isSecret && typeof value === 'string' ? 'this text' : showSetting(value)}`;
}

function explainUnknown(key: string, of: 'plan' | 'run', known: readonly string[]): string {
  if (of === 'plan' && Object.hasOwn(RUN_RULES, key)) return 'is a setting of run(), not of plan()';
  return `unknown setting of ${of}()${suggest(key, known) || `. Known: ${known.join(', ')}`}`;
}

/** Signals of other realms and of libraries count. */
function isSignal(value: unknown): boolean {
  const { aborted, addEventListener } = (value ?? {}) as Partial<AbortSignal>;
  return typeof aborted === 'boolean' && typeof addEventListener === 'function';
}

function showSetting(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object' || Array.isArray(value)) return showValue(value);
  return isThenable(value) ? 'a promise; await it first' : 'an object';
}
