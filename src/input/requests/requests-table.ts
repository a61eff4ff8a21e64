import { UsageError } from '../../core/errors.ts';
import type { InputSpec, RequestGroup } from '../../core/job.ts';
import type { Row } from '../../core/row.ts';
import { type BadRecord, type BadRows, createBadRows } from '../table/bad-rows.ts';
import { dropLines } from '../table/drop-lines.ts';
import { type JsonRecord, readJsonLines } from '../table/json-records.ts';
import type { TableFile } from '../table/read-bytes.ts';
import type { OpenedFormat, TextFiles } from '../table/table-format.ts';
import { type RequestLine, readRequestLine } from './request-line.ts';

/** The columns of the output table for a request, before its answer. */
const COLUMNS = ['custom_id', 'url', 'model'];

/**
 * Opens a table of requests: lines of JSON in the form of the Batch API, each a row whose body is sent as it is. All of it is read
 * to find the models used.
 */
export async function openRequestsTable(text: TextFiles, spec: InputSpec, signal: AbortSignal): Promise<OpenedFormat> {
  const groups = createGroups();
  let badRows = createBadRows(spec);
  let rows = 0;
  for await (const found of readLines(text, spec, badRows, groups, signal)) rows += found.length;
  if (rows === 0) throw new UsageError(`${text.files[0]?.shown}: no requests`, { code: 'table' });
  const requests = groups.list();
  if (
    requests.length > 1 &&
    requests.some(({ endpoint }) => endpoint === '/v1/embeddings') &&
    requests.some(({ endpoint }) => endpoint !== '/v1/embeddings')
  )
    throw new UsageError(`${text.files[0]?.shown}: requests for embeddings are mixed with others; put them into a separate file`, {
      code: 'table',
    });
  return {
    columns: COLUMNS,
    warnings: [],
    requests,
    readWarnings: () => badRows.describe(),
    readRows(rowText, rowSignal) {
      badRows = createBadRows(spec);
      return readLines(rowText, spec, badRows, groups, rowSignal);
    },
  };
}

async function* readLines(text: TextFiles, spec: InputSpec, badRows: BadRows, groups: Groups, signal: AbortSignal): AsyncGenerator<Row[]> {
  const { skipLines = 0 } = spec;
  const ids = createSeenIds(text.files);
  let index = 0;
  for (const file of text.files) {
    for await (const records of readJsonLines(dropLines(text.openText(file, signal), skipLines), file, skipLines + 1)) {
      const rows: Row[] = [];
      for (const record of records) {
        const read = readLine(record, file, ids);
        const row = 'customId' in read ? (badRows.isRefused ? null : makeRow(read, groups)) : badRows.add(index, read);
        if (row !== null) rows.push({ ...row, index, file: file.shown, line: record.line });
        index += 1;
      }
      if (rows.length > 0) yield rows;
    }
  }
  badRows.end();
}

function makeRow(line: RequestLine, groups: Groups): Omit<Row, 'index' | 'file' | 'line'> {
  const { customId, url, model, body } = line;
  return { cells: [customId, url, model], record: null, key: null, request: { url, model, body, group: groups.of(line) } };
}

function readLine({ record, line, text, fault }: JsonRecord, file: TableFile, ids: SeenIds): RequestLine | BadRecord {
  const refuse = (message: string, position = 0): BadRecord => {
    return { line, place: { file: file.shown, line, column: position + 1 }, message, raw: text.slice(0, RAW_CHARACTERS) };
  };
  if (record === null) return fault ?? refuse('not valid JSON');
  const read = readRequestLine(text, record);
  if (!('customId' in read)) return refuse(read.message, read.position);
  const before = ids.add(read.customId, file, line);
  return before === null ? read : refuse(`custom_id: ${JSON.stringify(read.customId)} already occurs at ${before}`);
}

/** The ids of the lines read so far. */
interface SeenIds {
  /** @returns where the id occurred before; null if it is new */
  add(id: string, file: TableFile, line: number): string | null;
}

/** More lines than a file has. */
const FILE_LINES = 2 ** 32;

function createSeenIds(files: readonly TableFile[]): SeenIds {
  const places = new Map<string, number>();
  return {
    add(id, file, line) {
      const before = places.get(id);
      if (before !== undefined) return `${files[Math.floor(before / FILE_LINES)]?.shown}:${before % FILE_LINES}`;
      places.set(id, files.indexOf(file) * FILE_LINES + line);
      return null;
    },
  };
}

const RAW_CHARACTERS = 1_024;

/** The groups of requests found so far, in the order in which they first occur. */
interface Groups {
  /** The number of the group a line belongs to. */
  of(line: RequestLine): number;
  list(): readonly RequestGroup[];
}

function createGroups(): Groups {
  const numbers = new Map<string, number>();
  const groups: RequestGroup[] = [];
  return {
    of({ url, model, tier, capTokens, images }) {
      const name = JSON.stringify([url, model, tier]);
      const number = numbers.get(name) ?? groups.length;
      numbers.set(name, number);
      const group = groups[number] ?? { endpoint: url, model, tier, rows: 0, capTokens: 0, images: 0 };
      const cap = capTokens === null || group.capTokens === null ? null : Math.max(capTokens, group.capTokens);
      groups[number] = { ...group, rows: group.rows + 1, capTokens: cap, images: Math.max(images, group.images) };
      return number;
    },
    list: () => [...groups],
  };
}
