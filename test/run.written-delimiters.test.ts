import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'csv-parse/sync';
import { readFailures } from '../src/inspect/failures.ts';
import { sampleRows } from '../src/inspect/quality/sample.ts';
import { verifyState } from '../src/inspect/verify/verify.ts';
import { findFalseDelimiter } from '../src/output/output-paths.ts';
import { makeReadOptionsOf } from './helpers/read-options.ts';
import { makeWorld } from './helpers/run-world.ts';
import { wideTest } from './helpers/wide.ts';

/** As in a job, and the character it is. */
const DELIMITERS = [
  [`';'`, ';'],
  ['tab', '\t'],
  [`'|'`, '|'],
  [`'0'`, '0'],
] as const;

type Records = readonly Readonly<Record<string, string>>[];

/** Cells with every character that could be mistaken for the end of one. */
const ROWS: [string, string][] = [
  ['r1', 'one, two; three\tfour|five 0.5'],
  ['r2', 'says "so"\nand goes on'],
  ['r3', ''],
  ['r4', 'plain'],
];

for (const [name, delimiter] of DELIMITERS) {
  wideTest(`a job with ${name} between cells writes all its tables that way, and reads them again`, async (t) => {
    const faults = [{ match: { row: 1 }, do: { answer: 'refusal' }, times: 1 }] as const;
    const write = `write: { path: out.csv, keep: all, excel: true, delimiter: ${name} }`;
    const world = await makeWorld(t, { rows: ROWS, job: write, faults });
    const read = (file: string) => parse(world.read(file), { delimiter, columns: true, bom: true }) as Records;
    const pilot = await world.run({ selection: { type: 'first', rows: 2 } });
    world.assertFaultsFired();
    assert.deepEqual([pilot.summary.rows.in, read('out.partial.csv').length], [2, 2]);
    const { summary } = await world.run();
    assert.deepEqual([summary.rows.ok, summary.causes], [2, { refused: 1, empty: 1 }]);
    const table = read('out.csv');
    assert.deepEqual(
      table.map(({ id, text, _status }) => [id, text, _status]),
      ROWS.map(([id, text], index) => [id, text, ['failed', 'ok', 'skipped', 'ok'][index]]),
    );
    assert.ok(table.every(({ _cost_usd, _attempts }) => /^\d+\.\d{9}$/.test(_cost_usd ?? '') && /^\d$/.test(_attempts ?? '')));
    const looking = makeReadOptionsOf(world);
    const verified = await verifyState(looking);
    assert.deepEqual(
      verified.checks.filter(({ status }) => status !== 'ok'),
      [],
    );
    await readFailures(looking, 'listed.csv');
    for (const file of ['out.failures.csv', 'listed.csv'])
      assert.deepEqual(
        read(file).map(({ id, cause }) => [id, cause]),
        [
          ['r1', 'refused'],
          ['r3', 'empty'],
        ],
        file,
      );
    // Read by a spreadsheet, which is told nothing, and by `sample` itself, which adds to it.
    const sampling = { seed: 1, by: null, field: 'label' };
    await sampleRows(looking, { ...sampling, rows: 1 });
    const { sample } = await sampleRows(looking, { ...sampling, rows: 2 });
    assert.deepEqual([sample.rows.added, sample.rows.inSheet], [1, 2]);
    const usual = delimiter === ';' || delimiter === '\t' ? delimiter : ',';
    assert.equal((parse(world.read('out.sample.csv'), { delimiter: usual, columns: true, bom: true }) as Records).length, 2);
  });
}

test('an invalid delimiter is refused with its place, for reading and for writing', async (t) => {
  const world = await makeWorld(t, { rows: [], job: `write: { path: out.csv, delimiter: ';;' }` });
  const job = world.read('job.yaml').replace('input: { path: in.csv, id: id }', 'input:\n  path: in.csv\n  delimiter: |\n  id: id');
  world.write('job.yaml', job);
  await assert.rejects(world.run(), (error: Error) => {
    assert.match(error.message, /input\.delimiter: must be one character, in quotes as in ';', or tab, not ""/);
    assert.match(error.message, /write\.delimiter: must be one character, in quotes as in ';', or tab, not ";;"/);
    return true;
  });
});

test('a name that promises tabs is warned of where the table would have none', () => {
  for (const [name, delimiter, says] of [
    ['a.tsv', undefined, /^the table is written with commas between cells, although/],
    ['a.TAB', ';', /^the table is written with ";" between cells/],
    ['a.tsv', '\t', null],
    ['a.csv', ';', null],
  ] as const) {
    const told = findFalseDelimiter(name, delimiter);
    if (says === null) assert.equal(told, null);
    else assert.match(told ?? '', says);
  }
});
