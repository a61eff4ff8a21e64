import { once } from 'node:events';
import { createReadStream, createWriteStream, openAsBlob, type WriteStream, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { parse } from 'csv-parse';
import { stringify } from 'csv-stringify/sync';
import OpenAI from 'openai';

const BATCH_ROWS = 50_000;

/** What most people write: chunk the table into batches, wait, join by row number, write. A crash loses everything. */
export async function runPlainScript(folder: string, baseURL: string): Promise<Readonly<Record<string, number>>> {
  const client = new OpenAI({ apiKey: 'sk-bench', baseURL });
  const batches: string[] = [];
  let file: WriteStream | null = null;
  let rows = 0;

  async function submit(): Promise<void> {
    if (file === null) return;
    file.end();
    await once(file, 'close');
    const upload = await client.files.create({ file: new File([await openAsBlob(String(file.path))], 'batch.jsonl'), purpose: 'batch' });
    const batch = await client.batches.create({ input_file_id: upload.id, endpoint: '/v1/chat/completions', completion_window: '24h' });
    batches.push(batch.id);
    file = null;
  }

  for await (const row of createReadStream(join(folder, 'table.csv')).pipe(parse({ columns: true }))) {
    if (rows % BATCH_ROWS === 0) {
      await submit();
      file = createWriteStream(join(folder, `plain-${batches.length}.jsonl`));
    }
    const messages = [
      { role: 'system', content: 'Label the ticket. Reply in JSON.' },
      { role: 'user', content: `${row.subject}\n${row.body}` },
    ];
    const line = {
      custom_id: String(rows),
      method: 'POST',
      url: '/v1/chat/completions',
      body: { model: 'gpt-4o-mini', messages, response_format: { type: 'json_object' } },
    };
    if (file?.write(`${JSON.stringify(line)}\n`) === false) await once(file, 'drain');
    rows += 1;
  }
  await submit();

  const answers = new Map<string, string>();
  for (const id of batches) {
    let batch = await client.batches.retrieve(id);
    while (batch.status !== 'completed') {
      await delay(500);
      batch = await client.batches.retrieve(id);
    }
    const content = await client.files.content(batch.output_file_id ?? '');
    for await (const line of createInterface({ input: Readable.fromWeb(content.body as Parameters<typeof Readable.fromWeb>[0]) })) {
      const answer = JSON.parse(line);
      answers.set(answer.custom_id, answer.response.body.choices[0].message.content);
    }
  }

  const table = createWriteStream(join(folder, 'plain.csv'));
  let index = 0;
  for await (const row of createReadStream(join(folder, 'table.csv')).pipe(parse({ columns: true }))) {
    const answer = JSON.parse(answers.get(String(index++)) ?? '{}');
    if (!table.write(stringify([[...Object.values(row as Record<string, string>), answer.label, answer.confidence]])))
      await once(table, 'drain');
  }
  table.end();
  await once(table, 'close');
  writeFileSync(join(folder, 'plain.done'), String(rows));
  return { rows };
}
