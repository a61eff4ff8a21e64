/** The constants of the throttle, shared by memory and Redis. */

/** Two clocks and the network between them are never exact: this share of a limit is used. */
export const FULL_SHARE = 0.98;
export const LEAST_SHARE = 0.5;
/** What each refusal leaves of the share. */
export const SHARE_AFTER_REFUSAL = 0.95;
/** The burst, in seconds of a limit. */
export const FULL_BURST_SECONDS = 2;
export const LEAST_BURST_SECONDS = 0.25;
/** The same if the provider reports its own burst: to make up for a slow start or a pause, within 105 % of any minute. */
export const MOST_TOLD_BURST_SECONDS = 3;
/** The part of the reported burst that is used: calls in flight are not included in it. */
export const TOLD_BURST_SHARE = 0.9;
/** After this long without a refusal, what it took is restored step by step. */
export const RELAX_MS = 60_000;
/** Refusals about tokens, below the computed limit, that show that the provider charges reservations. */
export const REFUSALS_TO_DOUBT = 3;
export const FIRST_BACK_OFF_MS = 500;
export const LONGEST_BACK_OFF_MS = 60_000;
/** Until answers have shown what calls use, no place further ahead than this is taken: it may soon turn out to be free earlier. */
export const LEARNING_HORIZON_MS = 100;
