import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stringify } from 'csv-stringify/sync';
import fc from 'fast-check';
import { createCsvPrinter } from '../src/output/csv-text.ts';
import { anyText } from './helpers/any-text.ts';

const cell = fc.oneof(
  fc.string({ unit: fc.constantFrom('"', ',', '\n', '\r', ' ', 'a', 'é', '😀', '=', ';', '\t', '\uFEFF', '\u2028'), maxLength: 6 }),
  anyText(),
);

const delimiters = fc.constantFrom(',', ';', '\t', '|', ' ', 'a', ']', '^', '-', '\\', 'é', '😀');

test('CSV is written byte by byte like csv-stringify writes it with every line break quoted', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(cell, { minLength: 1, maxLength: 4 }), { maxLength: 4 }),
      fc.boolean(),
      delimiters,
      (records, isWindows, delimiter) => {
        const written = createCsvPrinter({ delimiter, excel: isWindows }).print(records);
        const options = { delimiter, record_delimiter: isWindows ? 'windows' : 'unix', quote_record_delimiter: true } as const;
        assert.equal(written, stringify(records, options));
      },
    ),
    { numRuns: 500 },
  );
});

test('a head quotes every usual delimiter that is not its own, so that a reader takes the right one; with commas it is as before', () => {
  const names = ['a,b,c', 'd;e;f', 'g\th', 'i|j'];
  assert.equal(createCsvPrinter({ delimiter: ';' }).printHead(names), '"a,b,c";"d;e;f";"g\th";i|j\n');
  assert.equal(createCsvPrinter().printHead(names), '"a,b,c",d;e;f,g\th,i|j\n');
});
