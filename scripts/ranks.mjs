// Writes the ranks of gpt-tokenizer's encodings as tables that need no parsing, next to the compiled tokenizer.
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';

export const RANKS = ['dist/src/money/tokens/o200k_base.ranks', 'dist/src/money/tokens/cl100k_base.ranks'];
const MADE_OF = ['src/money/tokens/rank-table.ts', 'package-lock.json', 'scripts/ranks.mjs'];

/** Writes those that are missing, or older than what they are made of. */
export async function makeRanks() {
  const isFresh = (path) => existsSync(path) && MADE_OF.every((source) => statSync(source).mtimeMs <= statSync(path).mtimeMs);
  for (const path of RANKS.filter((path) => !isFresh(path))) {
    const { packRanks } = await import('../dist/src/money/tokens/rank-table.js');
    const { default: ranks } = await import(`gpt-tokenizer/bpeRanks/${basename(path, '.ranks')}`);
    writeFileSync(path, packRanks(ranks));
  }
}
