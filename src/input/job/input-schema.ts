import { makeDelimiterSchema } from './delimiter.ts';
import { closed, NAMES } from './schema-parts.ts';

const MAX_SKIPPED_LINES = 1_000_000;

/** The `input` of a job file. */
export function makeInputSchema(): object {
  return closed(
    {
      path: {
        type: 'string',
        minLength: 1,
        description: 'A CSV, TSV, JSONL, JSON, Parquet or Excel (.xlsx) table; a glob; .gz; or - for standard input.',
      },
      format: {
        enum: ['csv', 'tsv', 'jsonl', 'json', 'parquet', 'xlsx', 'requests', 'documents'],
        description:
          'Needed only if it cannot be detected. requests: lines of the Batch API, each sent as it is; the job then has no model, prompt or output.',
      },
      delimiter: makeDelimiterSchema('The character between cells, or tab; by default comma, semicolon or tab is detected.'),
      encoding: {
        type: 'string',
        minLength: 1,
        description: 'For example windows-1252 or utf-16le; not needed for UTF-8, or with a byte order mark.',
      },
      columns: {
        ...NAMES,
        minItems: 1,
        description:
          'Columns the table must have; for a table without a header line, or with header: true, the names of all its columns. In JSONL also columns that come after the first 1,000 records.',
      },
      header: {
        type: 'boolean',
        description: 'Whether the first line of a CSV table is its header; detected by default. true together with columns renames them.',
      },
      documents: {
        type: 'string',
        minLength: 1,
        description: 'In place of path: files, each a row with path, name, bytes and text; a glob like inbox/**/*.{txt,md}.',
      },
      split: closed(
        {
          column: { type: 'string', minLength: 1, description: 'The column whose long texts become several rows.' },
          tokens: {
            type: 'integer',
            minimum: 16,
            maximum: 10_000_000,
            description: 'The most tokens in a part, estimated from its characters.',
          },
          overlap: {
            type: 'integer',
            minimum: 0,
            description: 'How many tokens each part repeats from the end of the previous one. Default 0.',
          },
        },
        { required: ['column', 'tokens'], description: 'Cuts long rows into several, numbered by _part and _parts.' },
      ),
      sheet: { type: 'string', minLength: 1, description: 'The sheet of a workbook. Default: its first one.' },
      quote: {
        enum: ['standard', 'none'],
        description: 'standard (default): quotes enclose CSV cells. none: a quote is a character like any other.',
      },
      skip_lines: {
        type: 'integer',
        minimum: 0,
        maximum: MAX_SKIPPED_LINES,
        description: 'How many lines before the table to skip.',
      },
      bad_rows: {
        enum: ['refuse', 'skip'],
        description:
          'refuse (default): records that cannot be read refuse the table, and all are named. skip: each keeps its place, skipped(bad_row).',
      },
      where: {
        type: 'string',
        minLength: 1,
        description: 'Only rows that match it are sent, for example lang == "en" and stars < 3; the others are skipped(where).',
      },
      id: {
        type: ['string', 'array'],
        minLength: 1,
        items: { type: 'string', minLength: 1 },
        uniqueItems: true,
        minItems: 1,
        description: 'The column, or columns, that identify a row to a person. Default: the row’s number.',
      },
    },
    { minProperties: 1, description: 'The table: path, or documents.' },
  );
}
