import { once } from 'node:events';
import { createWriteStream, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const MODEL = 'gpt-4o-mini';

/** A seeded source of numbers in 0..1 (mulberry32): the same table on every machine. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const WORDS =
  'the parcel arrived late and the box was open when I found it on the stairs nobody had rung the bell Ich habe gestern angerufen aber niemand konnte helfen доставка пришла вовремя но коробка была мятая 商品は良いですが箱が壊れていました 客服回复很快 please send a new invoice "quoted" words, with commas; refund battery screen colour size small large fits well broke after two days'.split(
    ' ',
  );
const COUNTRIES = ['de', 'ru', 'ja', 'zh', 'en', 'fr'];

/** Writes a CSV of `rows` tickets of about 500 bytes each: quoted cells, a few line breaks, several scripts. Every row is distinct. */
export async function generateTable(path: string, rows: number, seed = 1): Promise<void> {
  const random = createRandom(seed);
  const stream = createWriteStream(path);
  let chunk = 'ticket_id,country,created,subject,body\n';
  for (let row = 0; row < rows; row += 1) {
    const words = Array.from({ length: 45 + Math.floor(random() * 30) }, () => WORDS[Math.floor(random() * WORDS.length)] as string);
    const body = words.join(' ').replaceAll('"', '""');
    const breaks = random() < 0.05 ? '\n' : ' ';
    const day = 1 + Math.floor(random() * 28);
    chunk += `T-${row},${COUNTRIES[row % COUNTRIES.length]},2026-10-${String(day).padStart(2, '0')},"${words.slice(0, 6).join(' ').replaceAll('"', '""')}","${body}${breaks}#${row}"\n`;
    if (chunk.length > 1 << 20) {
      if (!stream.write(chunk)) await once(stream, 'drain');
      chunk = '';
    }
  }
  stream.end(chunk);
  await once(stream, 'close');
}

/** Writes the labelling job that benches of the batch lane run, and its table of so many rows, `table.csv`. */
export async function writeBenchJob(folder: string, rows: number): Promise<void> {
  await generateTable(join(folder, 'table.csv'), rows);
  writeFileSync(
    join(folder, 'job.yaml'),
    `name: bench
input: { path: table.csv, id: ticket_id }
model: ${MODEL}
prompt:
  system: Label the ticket. Reply in JSON.
  user: |
    {{ subject }}
    {{ body }}
output: { label: billing | bug | feature | other, confidence: number 0..1 }
params: { max_output_tokens: 60 }
write: { path: out.csv }
`,
  );
}
