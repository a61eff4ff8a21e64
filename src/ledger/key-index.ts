import type { Doubts, OutcomeStatus } from '../core/outcome.ts';
import type { AnswerLocation } from './answer-location.ts';
import {
  ANSWERED_BEFORE,
  CHUNK_RECORDS,
  CHUNK_SHIFT,
  EPOCH,
  FILE,
  HISTORY,
  KEY_TAIL,
  LENGTH,
  OFFSET_LOW,
  OFFSETS_HIGH,
  OUTCOME,
  OUTCOME_NUMBERS,
  OUTCOMES,
  PROGRESS,
  PROMPT_READ,
  RECORD_WORDS,
  REOPENED,
  SETTLED_LOW,
  SHARD,
  UNREADABLE,
} from './key-layout.ts';
import { packKey, unpackKey } from './pack-key.ts';
import { PagedWords } from './paged-words.ts';

/**
 * What the ledger knows about every distinct request, by its key: at most 64 bytes each from 100,000 on. Callers keep the integer id
 * returned by `find` or `add`; ids count from 0 and never change. The methods named `set…` are for the ledger only.
 */
export class KeyIndex {
  /** Open addressing: the low bits hold id + 1 (0 is free), the high bits those bits of the key that did not select the slot. */
  #slots = new PagedWords(256);
  #chunks: Uint32Array[] = [];
  #size = 0;
  readonly #words = new Uint32Array(4);
  #tail = 0;
  #pass = 0;
  #answered = 0;

  /** Distinct keys. */
  get size(): number {
    return this.#size;
  }

  /** How many keys have become ok since a pass over the table met them: each counts once, and keys that no row asks for do not. */
  get answered(): number {
    return this.#answered;
  }

  /** Bytes of all arrays. */
  get bytes(): number {
    return this.#slots.length * 4 + this.#chunks.length * CHUNK_RECORDS * RECORD_WORDS * 4;
  }

  /** The id of a key, or -1. */
  find(key: string): number {
    this.#tail = packKey(key, this.#words);
    const slot = this.#findSlot();
    return (this.#slots.get(slot) & (this.#slots.length - 1)) - 1;
  }

  /** The id of a key, which is added if it is new. */
  add(key: string): number {
    this.#tail = packKey(key, this.#words);
    let slot = this.#findSlot();
    const known = this.#slots.get(slot) & (this.#slots.length - 1);
    if (known !== 0) return known - 1;
    if (this.#size + 1 > this.#slots.length * 0.75) {
      this.#grow();
      slot = this.#findSlot();
    }
    const id = this.#size++;
    if (id >>> CHUNK_SHIFT === this.#chunks.length) this.#chunks.push(new Uint32Array(CHUNK_RECORDS * RECORD_WORDS));
    const chunk = this.#chunk(id);
    chunk.set(this.#words, base(id));
    chunk[base(id) + EPOCH] = this.#tail;
    this.#slots.set(slot, this.#tagOf(this.#words[0] as number) | (id + 1));
    return id;
  }

  /** A key without `-o<k>`. */
  keyOf(id: number): string {
    return unpackKey(this.#chunk(id), base(id), this.#word(id, EPOCH) & KEY_TAIL);
  }

  /** The winning or latest outcome; null if nothing ever came back. */
  outcome(id: number): OutcomeStatus | null {
    return OUTCOMES[this.#word(id, PROGRESS) & OUTCOME] as OutcomeStatus | null;
  }

  /** Whether it had a valid answer that no longer counts, because a new generation has started since. */
  wasAnsweredBefore(id: number): boolean {
    return (this.#word(id, PROGRESS) & ANSWERED_BEFORE) !== 0;
  }

  /** Attempts used in the attempt epoch of the latest one; 255 means 255 or more. */
  attempts(id: number): number {
    return (this.#word(id, PROGRESS) >>> 8) & 0xff;
  }

  /** Idle outcomes in a row; 7 means 7 or more. */
  idleRounds(id: number): number {
    return (this.#word(id, PROGRESS) >>> 16) & 7;
  }

  /** 3 vanished batches mean 3 or more, 7 interruptions 7 or more. */
  doubts(id: number): Doubts {
    return { vanishedBatches: (this.#word(id, PROGRESS) >>> 19) & 3, interruptions: (this.#word(id, PROGRESS) >>> 21) & 7 };
  }

  /** The highest re-ask seen, the `n` of `-r<n>`. */
  reasks(id: number): number {
    return this.#word(id, PROGRESS) >>> 24;
  }

  /** The attempt epoch in which attempts were last counted; 0 if none was. */
  attemptEpoch(id: number): number {
    return this.#word(id, EPOCH) >>> 8;
  }

  /** Whether the winning or latest answer had an unknown form: the next one would have the same. */
  isUnreadable(id: number): boolean {
    return (this.#word(id, EPOCH) & UNREADABLE) !== 0;
  }

  /** Whether `retry` reopened the key and no result has arrived since. */
  isReopened(id: number): boolean {
    return (this.#word(id, EPOCH) & REOPENED) !== 0;
  }

  /** False only if the one line of the key's latest run is the one at `location`: then nothing else was used or paid. */
  hasHistory(id: number): boolean {
    return (this.#word(id, EPOCH) & HISTORY) !== 0;
  }

  /** Whether it is known which control characters the key's prompt contains. */
  isPromptRead(id: number): boolean {
    return (this.#word(id, EPOCH) & PROMPT_READ) !== 0;
  }

  /** The number of the shard in which the key is in flight; 0 if it is not. */
  shard(id: number): number {
    return this.#word(id, SHARD) >>> 8;
  }

  /** The location of the winning or latest line; null if the outcome came without a line. */
  location(id: number): AnswerLocation | null {
    const file = this.#word(id, FILE);
    if (file === 0) return null;
    const offsetBytes = this.#word(id, OFFSET_LOW) + (this.#word(id, OFFSETS_HIGH) & 0xffff) * 2 ** 32;
    return { file, offsetBytes, lengthBytes: this.#word(id, LENGTH) };
  }

  /** The offset of the key's newest record in `settled.jsonl`; -1 without one. */
  settledOffset(id: number): number {
    return this.#word(id, SETTLED_LOW) + (this.#word(id, OFFSETS_HIGH) >>> 16) * 2 ** 32 - 1;
  }

  /** Starts a pass over the table: its number for `isSeen` and `markSeen`. */
  startPass(): number {
    if (this.#pass === 255) for (let id = 0; id < this.#size; id++) this.markSeen(id, 0);
    this.#pass = (this.#pass % 255) + 1;
    return this.#pass;
  }

  /** The number of the latest pass; 0 before the first. */
  get lastPass(): number {
    return this.#pass;
  }

  /** Whether `markSeen` last named this pass. */
  isSeen(id: number, pass: number): boolean {
    return (this.#word(id, SHARD) & 0xff) === pass;
  }

  /** Notes that a pass over the table met this key; `pass` is 1 to 255. Not kept over a restart. */
  markSeen(id: number, pass: number): void {
    this.#set(id, SHARD, (this.#word(id, SHARD) & ~0xff) | pass);
  }

  setOutcome(id: number, outcome: OutcomeStatus | null, location: AnswerLocation | null): void {
    if (outcome === 'ok' && this.outcome(id) !== 'ok' && !this.isSeen(id, 0)) this.#answered += 1;
    this.#set(id, PROGRESS, (this.#word(id, PROGRESS) & ~OUTCOME) | (OUTCOME_NUMBERS.get(outcome) as number));
    this.#set(id, FILE, location?.file ?? 0);
    this.#set(id, OFFSET_LOW, location?.offsetBytes ?? 0);
    this.#set(id, OFFSETS_HIGH, (this.#word(id, OFFSETS_HIGH) & ~0xffff) | Math.floor((location?.offsetBytes ?? 0) / 2 ** 32));
    this.#set(id, LENGTH, location?.lengthBytes ?? 0);
  }

  setCounts(id: number, attempts: number, idleRounds: number): void {
    const counts = (Math.min(attempts, 255) << 8) | (Math.min(idleRounds, 7) << 16);
    this.#set(id, PROGRESS, (this.#word(id, PROGRESS) & ~0x07ff00) | counts);
  }

  setDoubts(id: number, { vanishedBatches, interruptions }: Doubts): void {
    const doubts = (Math.min(vanishedBatches, 3) << 19) | (Math.min(interruptions, 7) << 21);
    this.#set(id, PROGRESS, (this.#word(id, PROGRESS) & ~0xf80000) | doubts);
  }

  raiseReasks(id: number, reask: number): void {
    if (reask > this.reasks(id)) this.#set(id, PROGRESS, (this.#word(id, PROGRESS) & 0xffffff) | (Math.min(reask, 255) << 24));
  }

  setAttemptEpoch(id: number, attemptEpoch: number): void {
    this.#set(id, EPOCH, (this.#word(id, EPOCH) & 0xff) | (attemptEpoch << 8));
  }

  setPromptRead(id: number): void {
    this.#setFlag(id, PROMPT_READ, true);
  }

  setUnreadable(id: number, isUnreadable: boolean): void {
    this.#setFlag(id, UNREADABLE, isUnreadable);
  }

  setReopened(id: number, isReopened: boolean): void {
    this.#setFlag(id, REOPENED, isReopened);
  }

  /** `offsetBytes` -1 means that no record counts any more. */
  setSettled(id: number, offsetBytes: number, hasHistory: boolean): void {
    this.#set(id, SETTLED_LOW, offsetBytes + 1);
    this.#set(id, OFFSETS_HIGH, (this.#word(id, OFFSETS_HIGH) & 0xffff) | (Math.floor((offsetBytes + 1) / 2 ** 32) << 16));
    this.#setFlag(id, HISTORY, hasHistory);
  }

  /** 0 means that the key is no longer in flight. */
  setShard(id: number, shard: number): void {
    this.#set(id, SHARD, (this.#word(id, SHARD) & 0xff) | (shard << 8));
  }

  /** Forgets everything except the keys, what is known about their prompts, which of them were answered, and the flight of keys whose shard is kept. */
  forgetAll(keepsShard: (shard: number) => boolean): void {
    for (let id = 0; id < this.#size; id++) {
      const shard = this.shard(id);
      const kept = this.#word(id, EPOCH) & (KEY_TAIL | PROMPT_READ);
      const before = this.outcome(id) === 'ok' || this.wasAnsweredBefore(id) ? ANSWERED_BEFORE : 0;
      this.#chunk(id).fill(0, base(id) + PROGRESS, base(id) + RECORD_WORDS);
      this.#set(id, EPOCH, kept);
      this.#set(id, PROGRESS, before);
      if (shard !== 0 && keepsShard(shard)) this.setShard(id, shard);
    }
  }

  #chunk(id: number): Uint32Array {
    return this.#chunks[id >>> CHUNK_SHIFT] as Uint32Array;
  }

  #word(id: number, word: number): number {
    return this.#chunk(id)[base(id) + word] as number;
  }

  #set(id: number, word: number, value: number): void {
    this.#chunk(id)[base(id) + word] = value;
  }

  #setFlag(id: number, flag: number, isSet: boolean): void {
    const word = this.#word(id, EPOCH);
    this.#set(id, EPOCH, isSet ? word | flag : word & ~flag);
  }

  /** The slot of the key just read, or the free one where it belongs. */
  #findSlot(): number {
    const mask = this.#slots.length - 1;
    const first = this.#words[0] as number;
    const tag = this.#tagOf(first);
    for (let slot = first & mask; ; slot = (slot + 1) & mask) {
      const held = this.#slots.get(slot);
      if (held === 0) return slot;
      if ((held & ~mask) >>> 0 !== tag) continue;
      const id = (held & mask) - 1;
      const chunk = this.#chunk(id);
      const start = base(id);
      const isHere = chunk[start] === first && chunk[start + 1] === this.#words[1] && chunk[start + 2] === this.#words[2];
      const isTail = ((chunk[start + EPOCH] as number) & KEY_TAIL) === this.#tail;
      if (isHere && isTail && chunk[start + 3] === this.#words[3]) return slot;
    }
  }

  #tagOf(firstWord: number): number {
    return (firstWord & ~(this.#slots.length - 1)) >>> 0;
  }

  #grow(): void {
    this.#slots = new PagedWords(this.#slots.length * 2);
    const mask = this.#slots.length - 1;
    for (let id = 0; id < this.#size; id++) {
      const first = this.#word(id, 0);
      let slot = first & mask;
      while (this.#slots.get(slot) !== 0) slot = (slot + 1) & mask;
      this.#slots.set(slot, this.#tagOf(first) | (id + 1));
    }
  }
}

function base(id: number): number {
  return (id & (CHUNK_RECORDS - 1)) * RECORD_WORDS;
}
