import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import type { Evaluation } from '../src/core/quality.ts';
import { createWorld } from './helpers/command-line.ts';
import { projectRoot } from './helpers/project-root.ts';

/** Public tables with right answers beside the checkout. */
const DATA = join(projectRoot, '..', 'shared', 'data');
const skip = existsSync(DATA) ? false : 'the public tables are not beside this checkout';

const ROWS = 150;

const TABLES = [
  { file: 'banking77-test.csv', text: 'text', gold: 'category', labels: readLabels },
  { file: 'sms-spam.csv', text: 'SMS', gold: 'Label', labels: () => ['ham', 'spam'] },
  { file: 'tweets-african-languages.csv', text: 'tweet', gold: 'label', labels: () => ['negative', 'neutral', 'positive'] },
] as const;

function readLabels(): readonly string[] {
  return JSON.parse(readFileSync(join(DATA, 'banking77-labels.json'), 'utf8')) as string[];
}

for (const { file, text, gold, labels } of TABLES) {
  test(`eval over ${ROWS} rows of ${file} gives the figures of an independent computation`, { skip }, async (t) => {
    const read = (path: string) => parse(readFileSync(path, 'utf8'), { columns: true, bom: true }) as Record<string, string>[];
    const source = read(join(DATA, file)).slice(0, ROWS);
    const world = createWorld({
      'in.csv': stringify(source, { header: true }),
      'job.yaml': `name: gold
input: { path: in.csv }
model: gpt-4o-mini
prompt: ${JSON.stringify(`Which label? {{ row[${JSON.stringify(text)}] }}`)}
labels: ${JSON.stringify(labels())}
output: { answer: label }
params: { max_output_tokens: 40 }
write: { path: out.csv, prefix: llm_ }
`,
    });
    t.after(() => world.dispose());
    assert.equal((await world.run(['run', 'job.yaml', '--simulate', '--yes'])).exitCode, 0);
    const found = await world.json<Evaluation>(['eval', 'job.yaml', '--gold', gold]);
    const table = read(join(world.folder, 'out.csv'));
    const expected = compute(source.map((row, index) => [row[gold] ?? '', table[index]?.llm_answer ?? null]));
    assert.deepEqual([found.rows.evaluated, found.rows.correct, found.accuracy], [ROWS, expected.correct, expected.correct / ROWS]);
    assert.ok(Math.abs(found.macroF1 - expected.macroF1) < 1e-12);
    assert.deepEqual(found.confusion, expected.confusion);
    t.diagnostic(`${file}: accuracy ${found.accuracy.toFixed(4)}, macro-F1 ${found.macroF1.toFixed(4)}`);
  });
}

/** Accuracy, macro-F1 and confusion from the definitions, sharing nothing with the program. */
function compute(pairs: readonly (readonly [gold: string, given: string | null])[]) {
  const names = [...new Set(pairs.flat().filter((name) => name !== null))].sort();
  const of = (test: (gold: string, given: string | null) => boolean) => pairs.filter(([right, given]) => test(right, given)).length;
  const f1 = names.map((name) => {
    const hits = of((right, given) => right === name && given === name);
    const precision = hits / of((_, given) => given === name);
    const recall = hits / of((right) => right === name);
    return hits === 0 ? 0 : (2 * precision * recall) / (precision + recall);
  });
  const confusion: Record<string, Record<string, number>> = {};
  for (const [right, given] of pairs) {
    if (given === null) continue;
    const line = confusion[right] ?? {};
    line[given] = (line[given] ?? 0) + 1;
    confusion[right] = line;
  }
  return { correct: of((right, given) => right === given), macroF1: f1.reduce((sum, value) => sum + value, 0) / f1.length, confusion };
}
