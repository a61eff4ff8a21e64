import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { projectRoot } from '../helpers/project-root.ts';
import { HOSTILE } from '../helpers/report-facts.ts';
import { type Cleanup, makeWorld, renderCsv } from '../helpers/run-world.ts';

const JOB = `name: ticket-labels
description: One label and an urgency for every support ticket, each night
input: { path: in.csv, id: id }
model: gpt-4.1-mini
mode: batch
prompt:
  system: |
    Assign exactly one label to the ticket. Labels:
    {% for label in labels %}- {{ label.name }}: {{ label.description }}
    {% endfor %}
  user: "{{ text }}"
labels:
  billing: charges, charged, invoice, invoices, refund, refunds, payment, price
  bug: something is broken, wrong, crash, error, fails, missing, off
  feature: asks for something new, please add, wish, would be great
  other: none of the above
output: { label: label, urgent: boolean, confidence: number 0..1, reason: string }
params: { temperature: 0, max_output_tokens: 90 }
budget: { usd: 2.00 }
write: { path: out.csv, keep: all }
`;

/** Runs a job over three nights, each with a longer table, the last with rows that want to be markup. @returns the page of the last night */
export async function writeNightlyPage(t: Cleanup): Promise<string> {
  const faults = [
    { match: { share: 0.012, attempts: 'all' }, do: { answer: 'refusal' } },
    { match: { share: 0.02, attempts: 'first' }, do: { answer: 'invalid_json' } },
  ];
  const world = await makeWorld(t, { faults, batchSeconds: 0.3 });
  world.write('job.yaml', JOB);
  const tickets = readTickets();
  for (const rows of [640, 910, 1240]) {
    const hostile = rows === 1240 ? HOSTILE.map((text, index): [string, string] => [`x${index}`, text]) : [];
    const table = [...Array.from({ length: rows }, (_, index) => makeTicket(tickets, index)), ...hostile, ['none', ''] as const];
    world.write('in.csv', renderCsv(table));
    await world.run({
      commands: { continue: 'rowmill run job.yaml', failures: 'rowmill failures job.yaml', retry: 'rowmill retry job.yaml' },
    });
  }
  return world.path('out.report.html');
}

function readTickets(): readonly string[] {
  const records = parse(readFileSync(join(projectRoot, 'fixtures', 'tickets.csv')), { columns: true }) as Record<string, string>[];
  return records.map(({ body }) => body ?? '');
}

/** A ticket of the fixture with an order of its own, so that no two are alike. */
function makeTicket(tickets: readonly string[], index: number): readonly [string, string] {
  const text = tickets[(index * 31) % tickets.length] ?? '';
  const more = ' The details are in the attachment.'.repeat((index * 7919) % 9);
  return [`T-${1000 + index}`, `${text} Order ${10_000 + index * 37}.${more}`];
}
