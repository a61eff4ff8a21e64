import * as fs from 'node:fs';
import * as path from 'node:path';
import { parse } from 'csv-parse/sync';
import type { Summary } from '../../src/core/summary.ts';
import { projectRoot } from './project-root.ts';
import { CANARY_KEY, type Cleanup, makeWorld } from './run-world.ts';

/** Public tables beside the checkout; see the README there for their origins. */
const DATA = path.join(projectRoot, '..', 'shared', 'data');

/** A job over a real table. */
export interface RealTable {
  readonly file: string;
  /** The column (or key) whose text stands in the prompt. */
  readonly text: string;
  /** Lines of the job file after name, input and mode. */
  readonly job: string;
  readonly answerColumns: readonly string[];
}

const summary = (text: string) => `prompt:
  system: Summarize the text in one sentence. Reply in JSON.
  user: ${JSON.stringify(`{{ row[${JSON.stringify(text)}] }}`)}
output: { summary: string }
model: gpt-4.1-mini
params: { max_output_tokens: 120 }
write: { path: out.jsonl, keep: all, prefix: llm_ }`;

const sentiment = (
  text: string,
) => `prompt: ${JSON.stringify(`Rate the sentiment of this text. Reply in JSON with "sentiment" and "score".\n{{ row[${JSON.stringify(text)}] }}`)}
output:
  json: object
  schema:
    type: object
    required: [sentiment, score]
    properties:
      sentiment: { enum: [negative, neutral, positive] }
      score: { type: number, minimum: -1, maximum: 1 }
model: gpt-4o-mini
params: { max_output_tokens: 60 }
write: { path: out.csv, keep: all, prefix: llm_ }`;

/** Seventy-seven labels, from the table's own list. */
function labels(): string {
  const names = JSON.parse(fs.readFileSync(path.join(DATA, 'banking77-labels.json'), 'utf8')) as string[];
  return `prompt:
  system: |
    Assign exactly one label to the message of a bank's customer. Labels:
    {% for label in labels %}- {{ label.name }}
    {% endfor %}
  user: "{{ text }}"
labels:
${names.map((name) => `  ${JSON.stringify(name)}: ${name.replaceAll('_', ' ').replaceAll(/[^\w ]/g, '')}`).join('\n')}
output: { label: label }
model: gpt-4o-mini
params: { max_output_tokens: 40 }
write: { path: out.csv, keep: all, prefix: llm_ }`;
}

/** The job that gives each message of a bank's customers one of 77 labels, over a part of its table. Live; null where the table is not there. */
export function makeLabellingJob(rows: number): { readonly job: string; readonly table: string } | null {
  if (!hasData()) return null;
  const lines = fs.readFileSync(path.join(DATA, 'banking77-test.csv'), 'utf8').split('\n');
  return {
    job: `name: banking\ninput: { path: banking.csv }\nmode: live\n${labels()}\n`,
    table: `${lines.slice(0, rows + 1).join('\n')}\n`,
  };
}

const hasData = () => fs.existsSync(DATA);

/** The tables `npm test` runs over. */
export const FEW_TABLES: readonly string[] = ['banking77-test.csv', 'clothing-reviews.csv', 'contract-clauses.jsonl'];

export function listRealTables(): readonly RealTable[] {
  if (!hasData()) return [];
  const sentimentTable = (file: string, text: string): RealTable => ({
    file,
    text,
    job: sentiment(text),
    answerColumns: ['sentiment', 'score'],
  });
  const summaryTable = (file: string, text: string): RealTable => ({
    file,
    text,
    job: summary(text),
    answerColumns: ['summary'],
  });
  const papers = summaryTable('paper-abstracts.jsonl', 'title');
  return [
    { file: 'banking77-test.csv', text: 'text', job: labels(), answerColumns: ['label'] },
    sentimentTable('clothing-reviews.csv', 'Review Text'),
    summaryTable('contract-clauses.jsonl', 'original_text'),
    { file: 'banking77-train.csv', text: 'text', job: labels(), answerColumns: ['label'] },
    sentimentTable('product-review-sentences.csv', 'TEXT-SNIPPET'),
    sentimentTable('tweets-sentiment.csv', 'TWEET-TEXT'),
    sentimentTable('tweets-african-languages.csv', 'tweet'),
    sentimentTable('sms-spam.csv', 'SMS'),
    { ...papers, job: papers.job.replace('{{ row[\\"title\\"] }}', "{{ title }} {{ source | join: ' ' }}") },
    summaryTable('news-ja.csv', 'article'),
    summaryTable('cause-effect-zh.jsonl', 'premise'),
    summaryTable('math-questions-ja.csv', 'question'),
    summaryTable('math-questions-zh.csv', 'question'),
  ];
}

/** Runs the job and compares the table with what a parser of another make reads from the input. Throws where they differ. */
export async function runRealTable(t: Cleanup, table: RealTable): Promise<Summary> {
  const world = await makeWorld(t);
  const input = path.join(DATA, table.file);
  const rows = readRows(input);
  world.write('job.yaml', `name: proof\ninput: { path: ${JSON.stringify(input)} }\nmode: batch\n${table.job}\n`);
  const { summary } = await world.run({ apiKey: CANARY_KEY });
  const output = world.path(summary.outputs.table as string);
  const written = readRows(output);
  if (written.length !== rows.length) throw new Error(`${table.file}: ${rows.length} rows became ${written.length}`);
  for (const [index, row] of rows.entries()) {
    for (const [column, value] of Object.entries(row)) {
      if (JSON.stringify(written[index]?.[column]) !== JSON.stringify(value))
        throw new Error(`${table.file}: row ${index}: ${column} differs`);
    }
  }
  const empty = rows.filter((row) => String(row[table.text] ?? '').trim() === '').length;
  if (summary.rows.skipped !== empty || summary.rows.ok !== rows.length - empty)
    throw new Error(
      `${table.file}: ${summary.rows.ok} ok and ${summary.rows.skipped} skipped of ${rows.length} rows, ${empty} of them empty`,
    );
  world.check(summary, {
    inputPath: input,
    tablePath: output,
    writePath: output,
    prefix: 'llm_',
    answerColumns: table.answerColumns,
    isAnswer: () => true,
    textColumn: table.text,
  });
  return summary;
}

function readRows(file: string): Record<string, unknown>[] {
  const text = fs.readFileSync(file, 'utf8');
  if (file.endsWith('.jsonl'))
    return text
      .split(/\r?\n/)
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  // A column without a name that holds something is called by its place.
  const columns = (names: string[]) => names.map((name, index) => name || `column_${index + 1}`);
  return parse(text, { columns, bom: true }) as Record<string, unknown>[];
}
