import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse';
import { readCsvRecords } from '../src/input/table/csv-records.ts';

/** What benches over a table are compared with: a pass that reads every cell and does nothing with it. */

/** The parser most people use. */
export async function readWithCsvParse(folder: string): Promise<Readonly<Record<string, number>>> {
  let rows = 0;
  const parser = createReadStream(join(folder, 'table.csv')).pipe(parse());
  parser.on('readable', () => {
    while (parser.read() !== null) rows += 1;
  });
  await new Promise((resolve, reject) => parser.on('end', resolve).on('error', reject));
  return { rows: rows - 1 };
}

/** The scanner rowmill has. */
export async function readWithOwnScanner(folder: string): Promise<Readonly<Record<string, number>>> {
  const path = join(folder, 'table.csv');
  let rows = 0;
  const file = { path, shown: path };
  const open = () => createReadStream(path, { highWaterMark: 1 << 18 }) as AsyncIterable<Buffer>;
  for await (const records of readCsvRecords({ file, delimiter: ',', keepBlankLines: false, open })) rows += records.length;
  return { rows: rows - 1 };
}
