import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { readPieces } from '../src/core/disk/read-pieces.ts';
import { readCsvRecords } from '../src/input/table/csv-records.ts';
import { decodeText } from '../src/input/table/decode-text.ts';
import { dropLines } from '../src/input/table/drop-lines.ts';
import { readJsonArray } from '../src/input/table/json-array.ts';
import { readJsonLines } from '../src/input/table/json-records.ts';

const FILE = { path: 'table', shown: 'table' };
const ROW = { id: '日本語', text: 'größer 😀, "quoted"\nand more' };
const JSONL = `${JSON.stringify(ROW)}\n\n${JSON.stringify({ ...ROW, id: 'x'.repeat(50) })}\n`;

/** Pieces that are overwritten as soon as the next one is requested, as those of a file. */
async function* cutInto(bytes: Buffer, pieceBytes: number): AsyncGenerator<Buffer> {
  const memory = Buffer.alloc(pieceBytes);
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    const length = bytes.copy(memory, 0, at, at + pieceBytes);
    yield memory.subarray(0, length);
    memory.fill('#');
  }
}

const asText = (chunks: AsyncIterable<Buffer>, encoding: string | null = null) => decodeText(chunks, FILE, encoding);

async function join(chunks: AsyncIterable<Buffer>): Promise<string> {
  const copies: Buffer[] = [];
  for await (const chunk of chunks) copies.push(Buffer.from(chunk));
  return Buffer.concat(copies).toString('utf8');
}

async function gather(groups: AsyncIterable<readonly unknown[]>): Promise<readonly unknown[]> {
  const all: unknown[] = [];
  for await (const group of groups) all.push(...group);
  return structuredClone(all);
}

const READERS: Readonly<Record<string, { readonly bytes: Buffer; readonly read: (chunks: AsyncIterable<Buffer>) => Promise<unknown> }>> = {
  'UTF-8': { bytes: Buffer.from(JSONL), read: (chunks) => join(asText(chunks)) },
  'UTF-8 with a mark': { bytes: Buffer.from(`\ufeff${JSONL}`), read: (chunks) => join(asText(chunks)) },
  'UTF-16': { bytes: Buffer.from(`\ufeff${JSONL}`, 'utf16le'), read: (chunks) => join(asText(chunks)) },
  'windows-1252': { bytes: Buffer.from('größer;kleiner\n', 'latin1'), read: (chunks) => join(asText(chunks, 'windows-1252')) },
  'text after two lines': { bytes: Buffer.from(`a\r\nb\r${JSONL}`), read: (chunks) => join(dropLines(asText(chunks), 2)) },
  CSV: {
    bytes: Buffer.from('id,text\n1,"größer 😀, ""quoted""\nand more"\r\n2,日本語\n'),
    read: (chunks) => gather(readCsvRecords({ file: FILE, delimiter: ',', keepBlankLines: false, open: () => asText(chunks) })),
  },
  JSONL: { bytes: Buffer.from(JSONL), read: (chunks) => gather(readJsonLines(asText(chunks), FILE)) },
  JSON: {
    bytes: Buffer.from(JSON.stringify([ROW, { ...ROW, n: 1.5 }], null, 1)),
    read: (chunks) => gather(readJsonArray(asText(chunks), FILE)),
  },
};

for (const [name, { bytes, read }] of Object.entries(READERS)) {
  test(`${name} is the same, wherever it is cut into pieces that are overwritten afterwards`, async () => {
    const whole = await read(cutInto(bytes, bytes.length));
    for (let pieceBytes = 1; pieceBytes <= 12; pieceBytes += 1)
      assert.deepEqual(await read(cutInto(bytes, pieceBytes)), whole, `${pieceBytes} bytes`);
  });
}

test('bytes that are not UTF-8 are told by their line, wherever they are cut', async () => {
  for (const bad of ['e6', 'e697', 'f09f98', 'ff', 'c3']) {
    for (const end of ['', 'x\n', 'é\n']) {
      const bytes = Buffer.concat([Buffer.from('é\n日\n'), Buffer.from(bad, 'hex'), Buffer.from(end)]);
      for (let pieceBytes = 1; pieceBytes <= 12; pieceBytes += 1)
        await assert.rejects(
          join(asText(cutInto(bytes, pieceBytes))),
          /table:3:1 {2}bytes that are not UTF-8/,
          `${bad} ${end} ${pieceBytes}`,
        );
    }
  }
});

test('the pieces of a file are its bytes, in two pieces of memory; whoever stops leaves no file open', async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rowmill-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'table');
  const bytes = Buffer.from(JSONL.repeat(50));
  fs.writeFileSync(file, bytes);
  const memories = new Set<ArrayBufferLike>();
  const copies: Buffer[] = [];
  for await (const piece of readPieces(file, 100)) {
    memories.add(piece.buffer);
    copies.push(Buffer.from(piece));
  }
  assert.deepEqual([Buffer.concat(copies).equals(bytes), memories.size], [true, 2]);
  const open = () => fs.readdirSync('/proc/self/fd').filter((name) => isOpen(name, file)).length;
  for await (const piece of readPieces(file, 100)) {
    assert.equal(piece.length, 100);
    assert.equal(open(), 1);
    break;
  }
  assert.equal(open(), 0);
  fs.writeFileSync(file, '');
  assert.equal(await join(readPieces(file, 100)), '');
  await assert.rejects(join(readPieces(folder, 100)), { code: 'EISDIR' });
});

function isOpen(descriptor: string, file: string): boolean {
  try {
    return fs.readlinkSync(`/proc/self/fd/${descriptor}`) === file;
  } catch {
    return false;
  }
}
