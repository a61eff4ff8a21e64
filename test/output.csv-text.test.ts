import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stringify } from 'csv-stringify/sync';
import fc from 'fast-check';
import { printCsv } from '../src/output/csv-text.ts';

const cell = fc.oneof(
  fc.string({ unit: fc.constantFrom('"', ',', '\n', '\r', ' ', 'a', 'é', '😀', '=', ';', '\t', '\uFEFF', '\u2028'), maxLength: 6 }),
  fc.string({ unit: 'binary' }),
);

test('CSV is written byte by byte like csv-stringify writes it with every line break quoted', () => {
  fc.assert(
    fc.property(fc.array(fc.array(cell, { minLength: 1, maxLength: 4 }), { maxLength: 4 }), fc.boolean(), (records, isWindows) => {
      const written = printCsv(records, isWindows ? '\r\n' : '\n');
      const options = { record_delimiter: isWindows ? 'windows' : 'unix', quote_record_delimiter: true } as const;
      assert.equal(written, stringify(records, options));
    }),
    { numRuns: 500 },
  );
});
