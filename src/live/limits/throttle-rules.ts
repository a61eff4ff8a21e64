/** The numbers of the throttle, in memory and over Redis alike. */

/** Two clocks and the way between them are never exact: this share of a limit is used. */
export const FULL_SHARE = 0.98;
export const LEAST_SHARE = 0.5;
/** What each refusal leaves of the share. */
export const SHARE_AFTER_REFUSAL = 0.95;
/** So much of a limit may leave at once, in seconds of it. */
export const FULL_BURST_SECONDS = 2;
export const LEAST_BURST_SECONDS = 0.25;
/** The same where the provider tells how much it gives at once: what a slow start or a pause left unused is made up for, within 105 % of any minute. */
export const MOST_TOLD_BURST_SECONDS = 3;
/** So much of what it tells: calls under way are not in it. */
export const TOLD_BURST_SHARE = 0.9;
/** After this long without a refusal what it took is given back step by step. */
export const RELAX_MS = 60_000;
/** Refusals about tokens, below the computed limit, that tell that the provider charges what is reserved. */
export const REFUSALS_TO_DOUBT = 3;
export const FIRST_BACK_OFF_MS = 500;
export const LONGEST_BACK_OFF_MS = 60_000;
/** Until answers have told what calls use, no place is taken further ahead than this: it may soon be found to be free sooner. */
export const LEARNING_HORIZON_MS = 100;
