import { CAUSES, type OutcomeStatus } from '../core/outcome.ts';

/** Outcomes by their number in a record; 0 is "never settled". */
export const OUTCOMES: readonly (OutcomeStatus | null)[] = [null, 'ok', ...CAUSES];
export const OUTCOME_NUMBERS: ReadonlyMap<OutcomeStatus | null, number> = new Map(OUTCOMES.map((outcome, number) => [outcome, number]));

// A record of the index by key is twelve 32-bit words. Words 0 to 3 are the key's first 128 bits; its last four bits are in the flags.
export const RECORD_WORDS = 12;
/** outcome (7 bits and `ANSWERED_BEFORE`), attempts, rounds (3 bits of idle ones, 2 of vanished batches, 3 of interruptions), re-asks: one byte each. */
export const PROGRESS = 4;
/** 24 bits of attempt epoch, 8 of flags. */
export const EPOCH = 5;
/** 24 bits of shard number, 8 of pass. */
export const SHARD = 6;
export const FILE = 7;
export const OFFSET_LOW = 8;
export const LENGTH = 9;
/** 16 bits of the line's offset, 16 of the settled record's. */
export const OFFSETS_HIGH = 10;
export const SETTLED_LOW = 11;

export const OUTCOME = 0x7f;
export const ANSWERED_BEFORE = 0x80;
export const REOPENED = 0x10;
export const HISTORY = 0x20;
export const UNREADABLE = 0x40;
export const PROMPT_READ = 0x80;
export const KEY_TAIL = 0x0f;

/** Large chunks: memory is mapped for each by itself, and does not count until it is written. Small ones left holes between them, a tenth of the index. */
export const CHUNK_RECORDS = 8192;
export const CHUNK_SHIFT = 13;
