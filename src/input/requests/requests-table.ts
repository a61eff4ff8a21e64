import { UsageError } from '../../core/errors.ts';
import type { InputSpec, RequestGroup } from '../../core/job.ts';
import type { Row } from '../../core/row.ts';
import { type BadRecord, type BadRows, createBadRows } from '../table/bad-rows.ts';
import { dropLines } from '../table/drop-lines.ts';
import { readJsonLines } from '../table/json-records.ts';
import type { OpenedFormat, TextFiles } from '../table/table-format.ts';
import { type RequestLine, readRequestLine } from './request-line.ts';

/** What the table that is written shows of a request, before its answer. */
const COLUMNS = ['custom_id', 'url', 'model'];

/**
 * Opens a table of requests: lines of JSON as the Batch API takes them, each of which is a row whose body is sent as it is. All of it is gone through
 * to know what models it asks.
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
    throw new UsageError(`${text.files[0]?.shown}: requests for vectors stand beside others; put them into a file of their own`, {
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
  const seen = new Map<string, string>();
  let index = 0;
  for (const file of text.files) {
    for await (const records of readJsonLines(dropLines(text.openText(file, signal), skipLines), file, skipLines + 1)) {
      const rows: Row[] = [];
      for (const { record, text: source, line, fault } of records) {
        const read = record === null ? fault : check(readRequestLine(source, record));
        if (read === null) continue;
        if ('customId' in read) {
          seen.set(read.customId, `${file.shown}:${line}`);
          const { customId, url, model, body } = read;
          if (!badRows.isRefused)
            rows.push({
              index,
              file: file.shown,
              line,
              cells: [customId, url, model],
              record: null,
              key: null,
              request: { url, model, body, group: groups.of(read) },
            });
        } else {
          const row = badRows.add(index, read);
          if (row !== null) rows.push(row);
        }
        index += 1;

        function check(found: ReturnType<typeof readRequestLine>): RequestLine | BadRecord {
          const refuse = (message: string, position = 0): BadRecord => {
            return { line, place: { file: file.shown, line, column: position + 1 }, message, raw: source.slice(0, RAW_CHARACTERS) };
          };
          if (!('customId' in found)) return refuse(found.message, found.position);
          const before = seen.get(found.customId);
          return before === undefined ? found : refuse(`custom_id: ${JSON.stringify(found.customId)} stands at ${before} already`);
        }
      }
      if (rows.length > 0) yield rows;
    }
  }
  badRows.end();
}

const RAW_CHARACTERS = 1_024;

/** The groups of requests met so far, in the order in which they first occur. */
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
