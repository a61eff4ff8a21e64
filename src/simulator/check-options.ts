import type { SimulatorOptions } from './options.ts';

/** What an option has to be, in words that follow "give", and its test. */
interface Rule {
  readonly wanted: string;
  readonly isMet: (value: unknown) => boolean;
}

type Key = keyof SimulatorOptions;

const amount: Rule = { wanted: 'a number from 0 on', isMet: (value) => Number.isFinite(value) && Number(value) >= 0 };
const positive: Rule = { wanted: 'a number above 0', isMet: (value) => Number.isFinite(value) && Number(value) > 0 };
const share = (most: number): Rule => ({
  wanted: `a share from 0 to ${most}`,
  isMet: (value) => typeof value === 'number' && value >= 0 && value <= most,
});
const oneOf = (...values: readonly string[]): Rule => ({
  wanted: values.map((value) => JSON.stringify(value)).join(' or '),
  isMet: (value) => values.includes(value as string),
});
const path: Rule = { wanted: 'a path', isMet: (value) => value === null || (typeof value === 'string' && value !== '') };
const anything: Rule = { wanted: 'anything', isMet: () => true };
const isAmounts = (value: unknown, keys?: readonly string[]) =>
  typeof value === 'object' &&
  value !== null &&
  Object.entries(value).every(([key, each]) => (keys?.includes(key) ?? true) && (each === undefined || amount.isMet(each)));

const RULES: Readonly<Record<Key, Rule>> = {
  port: { wanted: 'a port from 0 to 65535', isMet: (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 65_535 },
  host: { wanted: 'a host name', isMet: (value) => typeof value === 'string' && value !== '' },
  stateDirectory: path,
  billFile: path,
  traceFile: path,
  // The reader of plans names the place inside.
  faults: anything,
  seed: { wanted: 'a whole number', isMet: Number.isSafeInteger },
  answers: oneOf('lifelike', 'plain'),
  noise: share(0.5),
  degrade: share(1),
  batchSeconds: amount,
  latencyMs: {
    wanted: 'milliseconds, or { p50Ms, sigma }',
    isMet: (value) => amount.isMet(value) || (isAmounts(value, ['p50Ms', 'sigma']) && 'p50Ms' in (value as object)),
  },
  enqueuedTokens: { wanted: 'tokens, or tokens by model', isMet: (value) => amount.isMet(value) || isAmounts(value) },
  listLagMs: amount,
  listOrder: oneOf('newest_first', 'oldest_first', 'mixed'),
  unsetFields: oneOf('null', 'empty', 'omitted'),
  cacheOptions: oneOf('taken', 'refused', 'refused_in_batches', 'fails_batches'),
  limits: {
    wanted: 'amounts of batchFileBytes, fileBytes, requestsPerBatch or batchesPerHour',
    isMet: (value) => isAmounts(value, ['batchFileBytes', 'fileBytes', 'requestsPerBatch', 'batchesPerHour']),
  },
  now: { wanted: 'a function', isMet: (value) => typeof value === 'function' },
  virtualTime: { wanted: 'true or false', isMet: (value) => typeof value === 'boolean' },
  requestsPerMinute: positive,
  tokensPerMinute: positive,
  accounting: oneOf('actual', 'reserved'),
  burstSeconds: positive,
  retryAfter: oneOf('both', 'ms', 'seconds', 'date', 'none'),
};

/** A misspelt option would leave a test without the limit or fault it is about. @throws Error that names every unknown or invalid option */
export function checkOptions(options: SimulatorOptions): void {
  const problems = Object.entries(options).flatMap(([key, value]) => {
    if (!Object.hasOwn(RULES, key)) return [`${key}: unknown; there are ${Object.keys(RULES).join(', ')}`];
    const { wanted, isMet } = RULES[key as Key];
    return value === undefined || isMet(value) ? [] : [`${key}: give ${wanted}, not ${String(value)}`];
  });
  if (problems.length > 0) throw new Error(`startSimulator: ${problems.join('; ')}`);
}
