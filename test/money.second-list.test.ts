import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { calcPrice } from '@pydantic/genai-prices';
import { createFindPrice } from '../src/money/price.ts';
import { projectRoot } from './helpers/project-root.ts';

/** Dollars per million tokens in the order of a list's columns: input, cached input, cache write, output; null: not given. */
type Dollars = readonly (number | null)[];

const TIERS = ['standard', 'batch', 'flex', 'priority'] as const;
type Tier = (typeof TIERS)[number];

type Listed = Readonly<Partial<Record<Tier, Dollars>>> & {
  readonly provider: string;
  readonly model: string;
  /** What requests of more input than `overTokens` cost as a whole. */
  readonly longContext?: Readonly<Partial<Record<Tier, Dollars>>> & { readonly overTokens: number };
};

interface PriceList {
  readonly list: string;
  /** The UTC day of the list. */
  readonly date: string;
  readonly models: readonly Listed[];
}

/** One price in which a list and we differ; columns that agree, or that the list leaves out, are null in both. */
interface Difference {
  readonly list: string;
  readonly provider: string;
  readonly model: string;
  readonly price: string;
  /** Null: we have no such price. */
  readonly ours: Dollars | null;
  readonly theirs: Dollars;
}

interface Explained extends Difference {
  readonly right: 'ours' | 'theirs' | 'neither' | 'open';
  readonly why: string;
}

const folder = path.join(projectRoot, 'fixtures', 'world', 'prices');
const readJson = <T>(name: string): T => JSON.parse(fs.readFileSync(path.join(folder, name), 'utf8')) as T;
const LISTS = fs
  .readdirSync(folder)
  .filter((name) => /-\d{4}-\d{2}-\d{2}\.json$/.test(name))
  .toSorted()
  .map((name) => readJson<PriceList>(name));
const EXPLAINED = readJson<{ readonly differences: readonly Explained[] }>('differences.json').differences;

const findPrice = createFindPrice([]);

/** Our price at OpenAI's address, or the rate book's at another provider's; undefined where the rate book does not know that provider's model. */
function findOurs({ provider, model }: Listed, tier: Tier, isLong: boolean, day: string): Dollars | null | undefined {
  if (provider !== 'openai') return tier === 'standard' ? findInRateBook(provider, model, isLong, day) : undefined;
  // The API adds the owner to the name of a fine-tuned model.
  const name = model.startsWith('ft:') ? `${model}:owner::id` : model;
  const price = findPrice(name, { lane: tier === 'batch' ? 'batch' : 'live', tier: tier === 'batch' ? null : tier, at: day });
  const rates = isLong ? price?.longContext?.rates : price?.rates;
  if (!rates) return null;
  return [rates.inputPicoUsd, rates.cachedInputPicoUsd, rates.cacheWritePicoUsd, rates.outputPicoUsd].map((pico) => pico / 1e6);
}

function findInRateBook(provider: string, model: string, isLong: boolean, day: string): Dollars | undefined {
  const found = calcPrice({ input_tokens: 0, output_tokens: 0 }, model, { providerId: provider, timestamp: new Date(`${day}T00:00:00Z`) });
  if (found === null) return undefined;
  const { input_mtok, cache_read_mtok, cache_write_mtok, output_mtok } = found.model_price;
  return [input_mtok, cache_read_mtok, cache_write_mtok, output_mtok].map((rate) => {
    if (rate === undefined) return null;
    return typeof rate === 'number' ? rate : isLong ? (rate.tiers[0]?.price ?? rate.base) : rate.base;
  });
}

function comparePrice(theirs: Dollars, ours: Dollars | null): Pick<Difference, 'ours' | 'theirs'> | null {
  // Embeddings have no output price; a list says 0.
  const given = theirs.map((rate) => (rate === 0 ? null : rate));
  const differs = given.map((rate, column) => rate !== null && Math.abs((ours?.[column] ?? -1) - rate) > 1e-6);
  if (!differs.includes(true)) return null;
  const only = (rates: Dollars) => rates.map((rate, column) => (differs[column] ? rate : null));
  return { ours: ours && only(ours), theirs: only(given) };
}

function compare(list: PriceList): { readonly compared: number; readonly differences: readonly Difference[] } {
  let compared = 0;
  const differences: Difference[] = [];
  for (const row of list.models) {
    for (const isLong of [false, true]) {
      for (const tier of TIERS) {
        const theirs = (isLong ? row.longContext : row)?.[tier];
        const ours = theirs && findOurs(row, tier, isLong, list.date);
        if (theirs === undefined || ours === undefined) continue;
        compared += 1;
        const difference = comparePrice(theirs, ours);
        const price = isLong ? `${tier}, long` : tier;
        if (difference !== null) differences.push({ list: list.list, provider: row.provider, model: row.model, price, ...difference });
      }
    }
  }
  return { compared, differences };
}

const describe = ({ list, provider, model, price, ours, theirs }: Difference): string =>
  `${list}: ${provider} ${model} ${price}: ours ${JSON.stringify(ours)}, theirs ${JSON.stringify(theirs)}`;

test('every price that differs from another public list is explained, and none that agrees', () => {
  const results = LISTS.map(compare);
  const compared = results.map((result) => result.compared);
  assert.ok(compared.length >= 3 && compared.every((count) => count >= 30), `compared ${compared} prices`);
  const found = results.flatMap(({ differences }) => differences).map(describe);
  assert.deepEqual(found.toSorted(), EXPLAINED.map(describe).toSorted());
});

test('every explanation says who is right and why', () => {
  for (const explained of EXPLAINED) {
    assert.ok(['ours', 'theirs', 'neither', 'open'].includes(explained.right), describe(explained));
    assert.ok(explained.why.length > 20, describe(explained));
  }
});

test('a changed price is detected', () => {
  const list = LISTS.find(({ list }) => list === 'models.dev');
  assert.ok(list !== undefined);
  const models = list.models.map((row) =>
    row.model === 'gpt-6-luna' && row.provider === 'openai' ? { ...row, standard: [0.1, 0.01, 0.125, 0.6] } : row,
  );
  const moved = compare({ ...list, models }).differences.find(({ provider, model }) => provider === 'openai' && model === 'gpt-6-luna');
  assert.deepEqual(moved && [moved.ours, moved.theirs], [
    [null, null, null, 0.5],
    [null, null, null, 0.6],
  ]);
});
