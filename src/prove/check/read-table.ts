import fs from 'node:fs';

/** Column -> cell; a JSONL value keeps its type. */
export type Cells = Readonly<Record<string, unknown>>;

export interface ReadTable {
  readonly columns: readonly string[];
  readonly rows: readonly Cells[];
}

/** A CSV or JSONL table, read without any of the program's own code. @throws if it is incomplete */
export function readTable(file: string): ReadTable {
  const text = fs.readFileSync(file, 'utf8');
  if (/\.(jsonl|ndjson)$/.test(file)) {
    const rows = text
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map((line) => JSON.parse(line) as Cells);
    return { columns: [...new Set(rows.flatMap((row) => Object.keys(row)))], rows };
  }
  const [names = [], ...records] = parseCsv(text.replace(/^\uFEFF/, ''));
  // A column without a name that has values is named by its position.
  const columns = names.map((name, index) => name || `column_${index + 1}`);
  return {
    columns,
    rows: records.map((record, index) => {
      if (record.length !== columns.length) throw new Error(`${file}: record ${index + 1} has ${record.length} cells`);
      return Object.fromEntries(columns.map((column, place) => [column, record[place] as string]));
    }),
  };
}

/** A strict reader of RFC 4180: throws at a misplaced quote, so that a torn table cannot pass for a complete one. */
export function parseCsv(text: string): string[][] {
  const records: string[][] = [];
  let record: string[] = [];
  let at = 0;
  while (at < text.length) {
    let cell = '';
    if (text[at] === '"') {
      for (at += 1; ; at += 1) {
        const close = text.indexOf('"', at);
        if (close < 0) throw new Error('a quoted cell has no end');
        cell += text.slice(at, close);
        at = close + 1;
        if (text[at] !== '"') break;
        cell += '"';
      }
    } else {
      const end = text.slice(at).search(/[,\r\n]/);
      cell = end < 0 ? text.slice(at) : text.slice(at, at + end);
      at = end < 0 ? text.length : at + end;
      if (cell.includes('"')) throw new Error(`a quote inside a bare cell: ${cell.slice(0, 40)}`);
    }
    record.push(cell);
    if (text[at] === ',') {
      at += 1;
      if (at === text.length) record.push('');
      continue;
    }
    if (at < text.length && text[at] !== '\n' && !(text[at] === '\r' && text[at + 1] === '\n'))
      throw new Error(`text after a closing quote at ${at}`);
    at += text[at] === '\r' ? 2 : 1;
    records.push(record);
    record = [];
  }
  if (record.length > 0) records.push(record);
  return records;
}
