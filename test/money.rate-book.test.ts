import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { calcPrice, findProvider } from '@pydantic/genai-prices';
import { findInRateBook } from '../src/money/rate-book.ts';
import { projectRoot } from './helpers/project-root.ts';
import { someOf, wideTest } from './helpers/wide.ts';

const source = readFileSync(join(projectRoot, 'node_modules/@pydantic/genai-prices/dist/index.js'), 'utf8');
const PROVIDERS = [...new Set([...source.matchAll(/^ {4}id: "([^"]+)"/gm)].map(([, id]) => id as string))];
const DAYS = ['2024-01-01', '2026-06-16', '2026-11-29', '2027-06-01'];

/** Names a provider's models are asked for by, known ones and others. */
function namesOf(providerId: string): readonly string[] {
  const ids = findProvider({ providerId })?.models.map(({ id }) => id) ?? [];
  return [
    ...someOf(ids, 10).flatMap((id) => [id, ` ${id.toUpperCase()}-20260131`, `${id}-2026-01-31`, `x${id}`]),
    ...['gpt-5-mini', 'claude-sonnet-4-5', 'grok-4:20250709', 'deepseek-chat', 'nobody’s', ''],
  ];
}

wideTest(
  'the rate book is read as its package reads it: each model of each provider, by several names, before and after its prices changed',
  () => {
    assert.ok(PROVIDERS.length > 30 && PROVIDERS.includes('openai') && PROVIDERS.includes('azure'));
    let found = 0;
    for (const providerId of [...PROVIDERS, 'nobody']) {
      for (const name of namesOf(providerId)) {
        for (const day of DAYS) {
          const entry = findInRateBook(name, day, providerId);
          const oracle = calcPrice({}, name, { providerId, timestamp: new Date(`${day}T00:00:00Z`) });
          assert.equal(entry?.model, oracle?.model, `${name} at ${providerId}`);
          assert.equal(entry?.prices, oracle?.model_price, `${name} at ${providerId} on ${day}`);
          assert.equal(entry?.providerName, oracle?.provider.name);
          if (entry !== null) found++;
        }
      }
    }
    assert.ok(found > 1000, String(found));
  },
);
