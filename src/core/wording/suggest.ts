/**
 * The candidate a person most likely meant, or null if none is close.
 * Case, spaces, dashes, underscores and dots cost nothing; otherwise at most a third of the word may differ (nothing, in a word of two letters), or whole
 * words may be missing. Another number is another name, not a slip: `gpt-9` is not `gpt-5`.
 */
export function findClosest(word: string, candidates: readonly string[]): string | null {
  const wanted = fold(word);
  const limit = wanted.length < 3 ? 0 : Math.max(1, Math.floor(wanted.length / 3));
  let best: string | null = null;
  let bestDistance = limit + 1;
  for (const candidate of candidates) {
    if (!mayShareNumbers(word, candidate)) continue;
    const distance = hasAllWords(word, candidate) ? 1 : measureDistance(wanted, fold(candidate));
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** `. Did you mean "x"?`, to append to a message, or nothing. */
export function suggest(word: string, candidates: readonly string[]): string {
  const closest = findClosest(word, candidates);
  return closest === null ? '' : `. Did you mean "${closest}"?`;
}

/** Whether the digits of one may be those of the other with some left out. */
function mayShareNumbers(word: string, candidate: string): boolean {
  const [few = '', many = ''] = [word, candidate].map((text) => text.replaceAll(/\D/g, '')).toSorted((a, b) => a.length - b.length);
  let found = 0;
  for (const digit of many) if (digit === few[found]) found += 1;
  return found === few.length;
}

/** `max_tokens` and `max_output_tokens`. */
function hasAllWords(word: string, candidate: string): boolean {
  const words = word.toLowerCase().split(/[\s_-]+/);
  const known = candidate.toLowerCase().split(/[\s_-]+/);
  return words.length > 1 && words.every((part) => known.includes(part));
}

function fold(word: string): string {
  return word
    .slice(0, 64)
    .toLowerCase()
    .replaceAll(/[\s_.-]/g, '');
}

/** Edits (insert, delete, replace, swap of neighbours) that turn one word into the other. */
function measureDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1];
      let distance = Math.min((previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1, (previous[j - 1] ?? 0) + (isSame ? 0 : 1));
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isSwap) distance = Math.min(distance, (beforePrevious[j - 2] ?? 0) + 1);
      current[j] = distance;
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[b.length] ?? 0;
}
