import { defineJob, formatDollars } from '../../src/index.ts';

const labels = { billing: 'charges, invoices, refunds', bug: 'something is broken', other: 'none of the above' };
const list = Object.entries(labels).map(([name, meaning]) => `- ${name}: ${meaning}`);

const job = defineJob({
  name: 'ticket-labels',
  input: { path: 'tickets.csv', columns: ['ticket_id', 'body'], id: 'ticket_id' },
  model: 'gpt-6-luna',
  mode: 'live',
  prompt: (row) => ({ system: ['Label the ticket:', ...list].join('\n'), user: row.body }), // row.boddy does not compile
  labels,
  output: { label: 'label', confidence: 'number 0..1' }, // or a JSON Schema, or a schema of zod, valibot, arktype …
});

const { rows, cost } = await job.plan({ simulate: true });
const price = cost.live ? `about ${formatDollars(cost.live.expectedNanoUsd)}` : 'at an unknown price';
console.log(`${rows.new + rows.changed + rows.again} rows to ask, ${price}`);

const run = await job.run({ simulate: true, onProgress: ({ okRequests, requests }) => console.error(`${okRequests}/${requests}`) });
for await (const result of run.results()) {
  if (result.disposition === 'ok') console.log(result.row.ticket_id, result.output.label, result.output.confidence);
}
process.exitCode = run.summary.exitCode;
