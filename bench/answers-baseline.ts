import { createReadStream, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { readWithCsvParse } from './table-baselines.ts';

/** The least anybody has to do with the answers: parse the table, and parse every line. */
export async function readAnswers(folder: string): Promise<Readonly<Record<string, number>>> {
  const { rows = 0 } = await readWithCsvParse(folder);
  let answers = 0;
  for (const name of readdirSync(join(folder, 'answers'))) {
    for await (const line of createInterface({ input: createReadStream(join(folder, 'answers', name)) })) {
      if (JSON.parse(line).custom_id !== undefined) answers += 1;
    }
  }
  return { rows, answers };
}
