import type { AnswerFaultRequest } from './answer-faults.ts';

/** The tier an answer reports: the requested one, with `fast` answered as priority, or the default if the fault downgrades it. */
export function answerTier(asked: unknown, fault: AnswerFaultRequest | undefined): string {
  if (fault?.kind === 'tier_downgraded') return 'default';
  if (asked === 'fast') return 'priority';
  return asked === 'flex' || asked === 'priority' || asked === 'scale' ? asked : 'default';
}

/** Hides or spoils the usage of an answer as the fault requires; undefined is left out of the JSON. */
export function spoilUsage(usage: Readonly<Record<string, unknown>>, fault: AnswerFaultRequest | undefined): unknown {
  if (fault?.kind === 'usage_missing') return undefined;
  const change =
    fault?.kind === 'usage_negative'
      ? (count: number) => -count
      : fault?.kind === 'usage_fraction'
        ? (count: number) => count + 0.5
        : undefined;
  if (change === undefined) return usage;
  return Object.fromEntries(Object.entries(usage).map(([name, count]) => [name, typeof count === 'number' ? change(count) : count]));
}
