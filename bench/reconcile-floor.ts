import { createHash } from 'node:crypto';
import { closeSync, createReadStream, fsyncSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { readCsvRecords } from '../src/input/table/csv-records.ts';
import { forEachLine, readLineChunks } from '../src/ledger/disk/read-lines.ts';
import { createCsvPrinter } from '../src/output/csv-text.ts';

interface Answer {
  readonly label: string;
  readonly confidence: number;
  readonly end: string;
}

interface Line {
  readonly custom_id: string;
  readonly response: {
    readonly request_id: string;
    readonly body: {
      readonly model: string;
      readonly choices: readonly [{ readonly message: { readonly content: string } }];
      readonly usage: { readonly prompt_tokens: number; readonly completion_tokens: number };
    };
  };
}

const CHUNK_CHARACTERS = 1 << 15;

/**
 * The minimum of reconciling, without checks and without surviving a crash, with the fastest parts available: every answer file is read and
 * hashed once, every line and every answer in it parsed, all answers held in memory; the table is read once, joined by its row's id, written with
 * all columns, hashed and synced.
 */
export async function joinPlainly(folder: string): Promise<Readonly<Record<string, number>>> {
  const answers = await readAll(join(folder, 'answers'));
  const ids = readFileSync(join(folder, 'order.txt'), 'latin1').split('\n');
  const path = join(folder, 'table.csv');
  const open = () => createReadStream(path, { highWaterMark: 1 << 18 }) as AsyncIterable<Buffer>;
  const output = openSync(join(folder, 'floor.csv'), 'w');
  const digest = createHash('sha256');
  let text = '';
  let rows = -1;
  const { quote } = createCsvPrinter();
  const flush = () => {
    const bytes = Buffer.from(text);
    digest.update(bytes);
    writeSync(output, bytes);
    text = '';
  };
  for await (const records of readCsvRecords({ file: { path, shown: path }, delimiter: ',', keepBlankLines: false, open })) {
    for (const { cells } of records) {
      for (const cell of cells) text += `${quote(cell)},`;
      const answer = rows < 0 ? undefined : answers.get(ids[rows] as string);
      text += answer === undefined ? 'label,confidence\n' : `${answer.label},${answer.confidence},${answer.end}\n`;
      rows += 1;
      if (text.length >= CHUNK_CHARACTERS) flush();
    }
  }
  flush();
  fsyncSync(output);
  closeSync(output);
  return { rows, hashBytes: digest.digest().length };
}

async function readAll(folder: string): Promise<ReadonlyMap<string, Answer>> {
  const answers = new Map<string, Answer>();
  for (const name of readdirSync(folder)) {
    const digest = createHash('sha256');
    for await (const { bytes } of readLineChunks(join(folder, name), { signal: new AbortController().signal })) {
      digest.update(bytes);
      forEachLine(bytes, (start, end) => {
        const { custom_id, response } = JSON.parse(bytes.toString('utf8', start, end)) as Line;
        const { model, choices, usage } = response.body;
        const { label, confidence } = JSON.parse(choices[0].message.content) as Answer;
        answers.set(custom_id, {
          label,
          confidence,
          end: `ok,,new,1,${model},${usage.prompt_tokens},0,${usage.completion_tokens},0,0.000012345,${response.request_id}`,
        });
      });
    }
    digest.digest();
  }
  return answers;
}
