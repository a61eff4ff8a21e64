import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { createRandom } from '../bench/table-generator.ts';
import { openWords } from '../src/money/tokens/open-words.ts';
import { readRankTable } from '../src/money/tokens/rank-table.ts';
import { type EncodingName, loadTokenizer } from '../src/money/tokens/tokenizer.ts';
import { projectRoot } from './helpers/project-root.ts';

const ENCODINGS: readonly EncodingName[] = ['o200k_base', 'cl100k_base'];
/** What is counted as one piece. */
const LENGTH = 1000;
const CHARACTERS = 1_000_000;

/** First and last code point of some scripts, of punctuation, spaces, controls and combining marks, halves of pairs among them. */
const RANGES: readonly (readonly [number, number])[] = [
  [0x20, 0x7e],
  [0x61, 0x7a],
  [0x00, 0x20],
  [0xa0, 0x17f],
  [0x300, 0x36f],
  [0x370, 0x3ff],
  [0x400, 0x4ff],
  [0x590, 0x6ff],
  [0x900, 0x97f],
  [0xe00, 0xe7f],
  [0x1e00, 0x1fff],
  [0x2000, 0x206f],
  [0x2190, 0x27bf],
  [0x3040, 0x30ff],
  [0x4e00, 0x9fff],
  [0xac00, 0xd7a3],
  [0xd800, 0xdfff],
  [0xff00, 0xffef],
  [0x1f300, 0x1faff],
  [0x0, 0x10ffff],
];

const importRanks = async (encoding: EncodingName) =>
  ((await import(`gpt-tokenizer/bpeRanks/${encoding}`)) as { default: readonly (string | readonly number[])[] }).default;

/** Counts as the library does by itself, row text being no special token. */
async function importCount(encoding: EncodingName): Promise<(text: string) => number> {
  const { countTokens } = (await import(`gpt-tokenizer/encoding/${encoding}`)) as typeof import('gpt-tokenizer/encoding/o200k_base');
  return (text) => countTokens(text, { disallowedSpecial: new Set() });
}

/** Runs of one script after another, words apart or not, and tokens of the encoding as they come. */
function* makeTexts(random: () => number, tokens: readonly string[]) {
  for (let characters = 0; characters < CHARACTERS; ) {
    let text = '';
    while (text.length < LENGTH - 40) {
      const [first, last] = RANGES[Math.floor(random() * RANGES.length)] as readonly [number, number];
      const length = 1 + Math.floor(random() * 12);
      for (let made = 0; made < length; made++) text += String.fromCodePoint(first + Math.floor(random() * (last - first + 1)));
      if (random() < 0.5) text += ' ';
      if (random() < 0.3) text += (tokens[Math.floor(random() * tokens.length)] as string).slice(0, 10);
    }
    characters += text.length;
    yield text;
  }
}

function* readTexts() {
  const files = [
    'README.md',
    'CHANGELOG.md',
    'fixtures/sentences.csv',
    'fixtures/reviews.csv',
    'fixtures/tickets.csv',
    'dist/bundle/openai.cjs',
  ];
  for (const name of readdirSync(join(projectRoot, 'docs'))) if (name.endsWith('.md')) files.push(`docs/${name}`);
  for (const name of files) {
    const text = readFileSync(join(projectRoot, name), 'utf8');
    for (let start = 0; start < text.length; start += LENGTH) yield text.slice(start, start + LENGTH);
  }
}

for (const encoding of ENCODINGS) {
  test(`the table of ${encoding} has every token of the library at its rank, and ships as it was made`, async () => {
    const path = join(projectRoot, 'dist/src/money/tokens', `${encoding}.ranks`);
    const table = readRankTable(openWords(pathToFileURL(path)));
    const ranks = await importRanks(encoding);
    const byteTokens = new Map(table.byteTokens.map(([token, rank]) => [rank, Array.from(token)]));
    let texts = 0;
    for (const [rank, token] of ranks.entries()) {
      if (typeof token === 'string') {
        assert.equal(table.get(token), rank, JSON.stringify(token));
        texts++;
      } else assert.deepEqual(byteTokens.get(rank), token);
    }
    assert.ok(texts > 99_000 && texts + byteTokens.size === ranks.length);
    assert.deepEqual(readFileSync(join(projectRoot, 'dist/bundle', `${encoding}.ranks`)), readFileSync(path));
  });

  test(`${encoding} counts what the library counts: each token, a million random characters of many scripts, and real text`, async () => {
    const count = loadTokenizer(encoding);
    const countByLibrary = await importCount(encoding);
    const tokens = (await importRanks(encoding)).filter((token) => typeof token === 'string');
    let texts = 0;
    for (const list of [tokens, makeTexts(createRandom(12), tokens), readTexts()]) {
      for (const text of list) {
        const counted = count(text);
        if (counted !== countByLibrary(text)) assert.equal(counted, countByLibrary(text), JSON.stringify(text));
        texts++;
      }
    }
    assert.ok(texts > tokens.length + CHARACTERS / LENGTH);
  });
}
