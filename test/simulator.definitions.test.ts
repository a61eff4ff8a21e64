import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLifelikeValues } from '../src/simulator/lifelike/lifelike-values.ts';

const LABELS = ['bug', 'billing', 'feature', 'other'];
const DEFINED =
  'bug: something is broken or crashes; billing: charges, invoices, refunds; feature: asks for something new; other: the rest.';
const LINES = `- bug: something is broken. It crashes, too.
- billing: charges, invoices, refunds
- feature: asks for something new
- other: none of the above`;

/** A row, and the label that its own words show. */
const ROWS = [
  ['I was charged twice on my invoice and want a refund', 'billing'],
  ['The app crashes whenever I open it, it is broken', 'bug'],
  ['Please add a dark theme, that would be a nice feature', 'feature'],
] as const;

/** Prompts of one message, which hold definitions and a row at other places. */
const PROMPTS: Readonly<Record<string, (row: string) => string>> = {
  'the row last, in one line': (row) => `Label the ticket. ${DEFINED} ${row}`,
  'the row last, after lines': (row) => `Label the ticket with one of these labels:\n${LINES}\n\n${row}`,
  'the row between': (row) => `Label the ticket. ${DEFINED} ${row}. Answer with the label only.`,
  'the row first': (row) => `Label this ticket.\n${row}\nLabels:\n${LINES}`,
  'the row first, instructions last': (row) => `Label this ticket.\n\n${row}\n\n${LINES}\n\nAnswer with one word.`,
  'no full stop between': (row) => `Label the ticket. bug: broken, billing: charges, feature: new things, other: rest, ticket: ${row}`,
};

for (const [name, makePrompt] of Object.entries(PROMPTS))
  test(`definitions of labels in a prompt of one message are not read as the row: ${name}`, () => {
    for (const [row, label] of ROWS) {
      const values = createLifelikeValues([makePrompt(row)], () => 0.5, LABELS);
      assert.equal(values.choose(LABELS, { name: 'label', item: 0 }), label, makePrompt(row));
    }
  });

test('a label mentioned only in the row is not a definition, nor is one followed by a hyphen', () => {
  const text = 'bug-fix wanted: the invoice is wrong, I was charged twice and want a refund';
  const values = createLifelikeValues([`Label the ticket: ${text}`], () => 0.5, LABELS);
  assert.equal(values.choose(LABELS, { name: 'label', item: 0 }), 'billing');
});

test('in a prompt of several messages the last one is the row, with whatever it defines', () => {
  const read = (labels: readonly string[]) =>
    createLifelikeValues(['Label the ticket.', DEFINED], () => 0.5, labels).text({ name: 'summary', item: 0 });
  assert.equal(read(LABELS), read([]));
});
