import type { Expected, ExpectedRow } from './check/find-violations.ts';

export type LaneName = 'batch' | 'live';

/** The key given to the command: it must not appear in any file. */
export const SECRET_KEY = 'sk-proving-7Zq3vK1xW9';

export const CONCURRENCY = 3;

/** A row of the table, and how it must end. */
export interface SmallRow {
  readonly text: string;
  readonly end: ExpectedRow;
}

const OK: ExpectedRow = { status: 'ok', error: '', source: 'new' };
const DUPLICATE: ExpectedRow = { ...OK, source: 'duplicate' };
const says = (text: string, end: ExpectedRow = OK): SmallRow => ({ text, end });

/** Few rows, one of each kind: duplicates, one whose first answer is invalid, one that the provider refuses, one that is empty. */
const ROWS: readonly SmallRow[] = [
  says('The zip broke, "again"'),
  says('Fits, and it is warm'),
  says('Two lines:\nthe second'),
  says('Fits, and it is warm', DUPLICATE),
  says('Answers badly at first'),
  says('Färbt ab, schade 🧦'),
  says('Is refused', { status: 'failed', error: 'bad_request', source: '' }),
  says('', { status: 'skipped', error: 'empty', source: '' }),
  says('=1+1, comma; semicolon'),
  says('The zip broke, "again"', DUPLICATE),
  says('Last but one'),
  says('Last'),
];
/** Those without a fault of their own. */
export const ORDINARY_ROWS: readonly number[] = [2, 5, 8, 10, 11];
const INVALID_ROW = 4;
const REFUSED_ROW = 6;

export const EXPECTED_ROWS: readonly ExpectedRow[] = ROWS.map(({ end }) => end);
/** The invalid answer is asked for again; the refused row and the empty one cost nothing. */
export const EXPECTED_CALLS = ROWS.filter(({ end }) => end.source === 'new').length + 1;

/** Ordinary rows that differ from each other. */
export function makeManyRows(count: number): readonly SmallRow[] {
  return Array.from({ length: count }, (_, index) => says(`Number ${index + 1} fits, and it is warm`));
}

/** What such a table must come to. */
export function expectAllOk(count: number): Expected {
  const rows = makeManyRows(count).map(({ end }) => end);
  return { rows, calls: count, table: null, allows: { secondPayments: 0, mixesLanes: false }, secrets: [SECRET_KEY] };
}

const quote = (cell: string) => (/[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);

export function renderTable(rows = ROWS): string {
  return `id,text\n${rows.map(({ text }, index) => `r${index + 1},${quote(text)}`).join('\n')}\n`;
}

interface JobParts {
  /** Additional lines of the job file. */
  readonly job?: readonly string[];
  readonly limits?: string;
}

export function renderJob(lane: LaneName, { job = [], limits = `concurrency: ${CONCURRENCY}` }: JobParts = {}): string {
  return [
    'name: proof',
    'input: { path: in.csv, id: id }',
    'model: gpt-4o-mini',
    `mode: ${lane}`,
    'prompt: "Label and summarize, reply in JSON: {{ text }}"',
    'output: { label: "good | bad | other", summary: string }',
    'params: { max_output_tokens: 100 }',
    `limits: { ${limits} }`,
    'write: { path: out.csv, keep: all }',
    ...job,
    '',
  ].join('\n');
}

/** What happens to two of the rows in every run. @param keys of the rows, in the order in which a run lists them */
export function planRowFaults(keys: readonly (string | null)[]): readonly unknown[] {
  const refused = keys[REFUSED_ROW];
  const body = { error: { message: 'This row is refused', type: 'invalid_request_error', param: null, code: 'refused_row' } };
  return [
    { name: 'row', match: { custom_id: keys[INVALID_ROW] }, do: { answer: 'invalid_json' } },
    { name: 'row', match: { custom_id: refused }, do: { rowStatus: 400, code: 'refused_row', message: 'This row is refused' } },
    { name: 'row', match: { method: 'POST', path: '/v1/chat/completions', custom_id: refused }, do: { status: 400, body } },
  ];
}
