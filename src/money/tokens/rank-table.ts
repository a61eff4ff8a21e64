/** The ranks of an encoding in gpt-tokenizer: tokens by rank, those that are not valid UTF-8 as their bytes. */
export type Ranks = readonly (string | readonly number[])[];

/** The lookup of tokens: the rank by text, like a Map of 200,000 strings without having to build it. */
export interface RankTable {
  get(text: string): number | undefined;
  /** Tokens that are not valid UTF-8 with their ranks, in the order of their bytes; listed when they are first asked for. */
  readonly byteTokens: readonly (readonly [bytes: ArrayLike<number>, rank: number])[];
}

/** First word of a file; any other means another version, or a machine of the other endianness. */
const MARK = 0x524d_5431;
const HEADER_WORDS = 4;

/**
 * Writes ranks as `readRankTable` needs them: a header (mark, tokens, slots, byte tokens), the ranks of byte tokens in the order of
 * their bytes, a hash table of `rank + 1` with open addressing (0 is a free slot), where each token begins among the units, and the UTF-16 units
 * (or bytes) of all tokens.
 */
export function packRanks(ranks: Ranks): Uint8Array {
  const units = ranks.flatMap((token) =>
    typeof token === 'string' ? Array.from({ length: token.length }, (_, at) => token.charCodeAt(at)) : token,
  );
  const byteTokens = ranks.flatMap((token, rank) => (typeof token === 'string' ? [] : [{ bytes: Buffer.from(token), rank }]));
  const byteRanks = byteTokens.sort((a, b) => Buffer.compare(a.bytes, b.bytes)).map(({ rank }) => rank);
  const starts = new Uint32Array(ranks.length + 1);
  const slots = new Uint32Array(2 ** Math.ceil(Math.log2(2 * ranks.length + 1)));
  for (const [rank, token] of ranks.entries()) {
    starts[rank + 1] = (starts[rank] as number) + token.length;
    if (typeof token !== 'string') continue;
    let slot = hashText(token) & (slots.length - 1);
    while (slots[slot] !== 0) slot = (slot + 1) & (slots.length - 1);
    slots[slot] = rank + 1;
  }
  const header = Uint32Array.of(MARK, ranks.length, slots.length, byteRanks.length);
  return Buffer.concat([header, Uint32Array.from(byteRanks), slots, starts, Uint16Array.from(units)].map(bytesOf));
}

/** A file as 32-bit words. */
export interface Words {
  readonly bytes: number;
  at(index: number): number;
}

/**
 * The table in what `packRanks` made, which it uses directly: nothing is parsed or copied.
 *
 * @throws {Error} for anything else
 */
export function readRankTable({ bytes, at: word }: Words): RankTable {
  const [mark, tokens, slotCount, byteTokenCount] = [word(0), word(1), word(2), word(3)];
  if (mark !== MARK) throw new Error('not a table of ranks that can be read on this machine');
  const slotsAt = HEADER_WORDS + byteTokenCount;
  const startsAt = slotsAt + slotCount;
  const unitsAt = startsAt + tokens + 1;
  if (bytes !== unitsAt * Uint32Array.BYTES_PER_ELEMENT + word(unitsAt - 1) * Uint16Array.BYTES_PER_ELEMENT)
    throw new Error('a table of ranks that is not complete');
  /** Only little-endian machines read the mark. */
  const unit = (index: number) => (word(unitsAt + (index >>> 1)) >>> ((index & 1) << 4)) & 0xffff;
  const listByteTokens = (): RankTable['byteTokens'] =>
    Array.from({ length: byteTokenCount }, (_, index) => {
      const rank = word(HEADER_WORDS + index);
      const start = word(startsAt + rank);
      return [Uint16Array.from({ length: word(startsAt + rank + 1) - start }, (_, at) => unit(start + at)), rank];
    });

  let byteTokens: RankTable['byteTokens'] | null = null;
  return {
    get byteTokens() {
      byteTokens ??= listByteTokens();
      return byteTokens;
    },
    get(text) {
      for (let slot = hashText(text) & (slotCount - 1); ; slot = (slot + 1) & (slotCount - 1)) {
        const next = word(slotsAt + slot);
        if (next === 0) return undefined;
        const start = word(startsAt + next - 1);
        if (word(startsAt + next) - start !== text.length) continue;
        let same = 0;
        while (same < text.length && unit(start + same) === text.charCodeAt(same)) same++;
        if (same === text.length) return next - 1;
      }
    },
  };
}

function hashText(text: string): number {
  let hash = 0;
  for (let at = 0; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x9e37_79b1);
    hash ^= hash >>> 15;
  }
  return hash;
}

function bytesOf({ buffer, byteOffset, byteLength }: Uint32Array | Uint16Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
