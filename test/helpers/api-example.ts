import { AppError, defineJob, formatDollars, UsageError } from '../../src/index.ts';

const labels = { billing: 'charges, invoices, refunds', bug: 'something is broken', other: 'none of the above' };
const list = Object.entries(labels).map(([name, meaning]) => `- ${name}: ${meaning}`);

const job = defineJob({
  name: 'ticket-labels',
  input: { path: 'tickets.csv', columns: ['ticket_id', 'body'], id: 'ticket_id' },
  model: 'gpt-6-luna',
  mode: 'live',
  prompt: (row) => ({ system: ['Label the ticket:', ...list].join('\n'), user: row.body }),
  labels,
  output: { label: 'label', confidence: 'number 0..1' },
  params: { max_output_tokens: 1000 },
  budget: { usd: 5 },
});

// Without a key, `simulate: true` tries everything for nothing.
const settings = { simulate: process.env.OPENAI_API_KEY === undefined };
const stopping = new AbortController();
process.once('SIGINT', () => stopping.abort());

try {
  const { rows, cost } = await job.plan(settings);
  const price = cost.live ? `about ${formatDollars(cost.live.expectedNanoUsd)}` : 'at an unknown price';
  console.error(`${rows.new + rows.changed + rows.again} rows to ask, ${price}`);

  const run = await job.run({ ...settings, signal: stopping.signal, onWarning: (message) => console.error(message) });
  for await (const result of run.results()) {
    if (result.disposition === 'ok') console.log(result.row.ticket_id, result.output.label, result.output.confidence);
    else if (result.disposition === 'failed') console.log(result.row.ticket_id, result.cause, result.message);
  }
  process.exitCode = run.summary.exitCode;
} catch (error) {
  if (error instanceof UsageError) for (const { message } of error.problems) console.error(message);
  else if (error instanceof AppError) console.error(error.message);
  else throw error;
  process.exitCode = error.exitCode;
}
