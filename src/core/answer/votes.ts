import type { Ballot, OutcomeStatus } from '../outcome.ts';

/** The result of one choice of an answer. */
export interface Verdict {
  readonly status: OutcomeStatus;
  /** As of an outcome. */
  readonly message: string;
  /** The checked value if ok. */
  readonly value: unknown;
  /** As of an outcome. */
  readonly written?: unknown;
  /** Its text; null if it was not text. */
  readonly text: string | null;
  /** As of an outcome. */
  readonly isUnreadable: boolean;
  readonly isUnmarked: boolean;
}

/**
 * The result of the majority: of the valid choices, the first one of those that agree with the most others; in a tie the earliest wins.
 * Without a valid choice the most frequent cause, again the earliest in a tie.
 */
export function countVotes(verdicts: readonly [Verdict, ...Verdict[]], ballot: Ballot): Verdict {
  const good = verdicts.filter(({ status }) => status === 'ok');
  const [elected, votes] = elect(good, ({ value }) => ballot.read(value)) ?? [null, 0];
  if (elected !== null) {
    const written = elected.written === undefined ? {} : { written: ballot.addAgreement(elected.written, votes) };
    return { ...elected, ...written, value: ballot.addAgreement(elected.value, votes) };
  }
  return elect(verdicts, ({ status }) => status)?.[0] ?? verdicts[0];
}

/** The first of the largest group of equal votes, and the size of the group; null without votes. */
function elect(verdicts: readonly Verdict[], read: (verdict: Verdict) => string): readonly [Verdict, number] | null {
  const groups = new Map<string, { readonly first: Verdict; votes: number }>();
  for (const verdict of verdicts) {
    const name = read(verdict);
    const group = groups.get(name) ?? { first: verdict, votes: 0 };
    group.votes += 1;
    groups.set(name, group);
  }
  let most: { readonly first: Verdict; votes: number } | null = null;
  for (const group of groups.values()) if (most === null || group.votes > most.votes) most = group;
  return most === null ? null : [most.first, most.votes];
}
