import { damagedJson, type JsonRecord, MAX_RECORD_BYTES, readJsonRecord } from './table/json-records.ts';
import type { TableFile } from './table/read-bytes.ts';

const LF = 10;

/** Streams the records of a JSONL text: one object per line, blank lines skipped. @throws UsageError with file and line */
export async function* readJsonLines(chunks: AsyncIterable<Buffer>, file: TableFile): AsyncGenerator<readonly JsonRecord[]> {
  let pieces: Buffer[] = [];
  let pieceBytes = 0;
  let line = 1;
  const readLines = (bytes: Buffer): JsonRecord[] => {
    const records: JsonRecord[] = [];
    for (const text of bytes.toString('utf8').split('\n')) {
      if (text.trim() !== '') records.push(readJsonRecord(text, file, line));
      line++;
    }
    return records;
  };
  for await (const chunk of chunks) {
    const end = chunk.lastIndexOf(LF);
    if (end === -1) {
      pieces.push(chunk);
      pieceBytes += chunk.length;
      if (pieceBytes > MAX_RECORD_BYTES) throw damagedJson(file, line, 1, 'a record of more than 64 MB; is this JSONL?');
      continue;
    }
    const whole = Buffer.concat([...pieces, chunk.subarray(0, end)]);
    pieces = [Buffer.from(chunk.subarray(end + 1))];
    pieceBytes = chunk.length - end - 1;
    const records = readLines(whole);
    if (records.length > 0) yield records;
  }
  const records = readLines(Buffer.concat(pieces));
  if (records.length > 0) yield records;
}
