import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { parquetWriteFile } from 'hyparquet-writer';
import { makeNumber, stringifyExactly } from '../src/core/exact/exact-number.ts';
import { openTable } from '../src/input/table/open-table.ts';
import { projectRoot } from './helpers/project-root.ts';

const { signal } = new AbortController();
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rowmill-parquet-'));
after(() => fs.rmSync(folder, { recursive: true }));

const TYPES = path.join(projectRoot, 'fixtures', 'types.parquet');

async function open(file: string, format: 'csv' | 'parquet' | null = null) {
  return openTable(
    { path: path.resolve(folder, file), format, delimiter: null, encoding: null, columns: null, id: [] },
    { cwd: folder, signal },
  );
}

async function readCells(file: string): Promise<readonly (readonly unknown[])[]> {
  const rows: (readonly unknown[])[] = [];
  for await (const chunk of (await open(file)).readRows(signal)) rows.push(...chunk.map(({ cells }) => cells));
  return rows;
}

function write(name: string, bytes: Buffer | string): string {
  fs.writeFileSync(path.join(folder, name), bytes);
  return name;
}

/** Columns of fixtures/types.parquet (written by pyarrow 25: pages of version 2, zstd) with their cells; the second of each is null. */
const CELLS: Readonly<Record<string, readonly [unknown, unknown]>> = {
  id: ['a', 'c'],
  flag: [true, false],
  small: [-128, 127],
  unsigned: [makeNumber('18446744073709551615'), 0],
  big: [makeNumber('9007199254740993'), makeNumber('-9223372036854775808')],
  single: [0.1, 'NaN'],
  double: [0.1, makeNumber('-0')],
  price: [makeNumber('1.10'), -0.05],
  exact: [makeNumber('1234567890123456789012345678.0123456789'), makeNumber('-1.0000000000')],
  day: ['2026-11-29', '0001-01-01'],
  clock: ['21:04:05.123', '00:00:00'],
  instant: ['2026-11-29T21:04:05.123456Z', '1969-12-31T23:59:59Z'],
  local: ['2026-11-29T21:04:05', '1969-12-31T23:59:59.999'],
  nanos: ['2025-11-29T21:04:05.123456789Z', '1969-12-31T23:59:59.999999999Z'],
  text: ['Grüße, "日本"\n😀', ''],
  kind: ['x', 'x'],
  bytes: ['AP8=', ''],
  fixed: ['AQI=', 'AwQ='],
  uuid: ['12345678-9abc-def0-1234-56789abcdef0', '00000000-0000-0000-0000-000000000000'],
  list: [[1, null, 3], []],
  lists: [[['a'], [], null], [['b', null]]],
  struct: [
    { x: 1.5, y: { z: '2026-01-02' } },
    { x: null, y: null },
  ],
  map: [JSON.parse('{"k":1,"__proto__":2}'), {}],
  people: [[{ name: 'A', tags: ['t'] }, null], [{ name: null, tags: null }]],
  nothing: [null, null],
};

test('every type of a Parquet file becomes text with all its digits', async () => {
  const table = await open(TYPES);
  assert.equal(table.format, 'parquet');
  assert.deepEqual(table.columns, Object.keys(CELLS));
  assert.equal(table.warnings.length, 2);
  assert.match(table.warnings[0] as string, /column "bytes" contains bytes without a declared type; they are written as base64/);
  const rows = await readCells(TYPES);
  assert.equal(rows.length, 3);
  for (const [place, name] of table.columns.entries()) {
    const [first, last] = CELLS[name] as readonly [unknown, unknown];
    assert.equal(stringifyExactly(rows[0]?.[place]), stringifyExactly(first), name);
    if (name !== 'id') assert.equal(rows[1]?.[place], null, name);
    assert.equal(stringifyExactly(rows[2]?.[place]), stringifyExactly(last), name);
  }
});

test('row groups and pages are read continuously, wherever they are cut', async () => {
  const values = Array.from({ length: 5_000 }, (_, index) => `row ${index} ${'x'.repeat(index % 50)}`);
  const lists = values.map((_, index) => Array.from({ length: index % 4 }, (_, item) => index + item));
  parquetWriteFile({
    filename: path.join(folder, 'pages.parquet'),
    columnData: [
      { name: 'text', data: values, type: 'STRING' },
      { name: 'kind', data: values.map((_, index) => `kind ${index % 3}`), type: 'STRING' },
      { name: 'number', data: values.map((_, index) => (index % 7 === 0 ? null : index)), type: 'DOUBLE', nullable: true },
      { name: 'items', data: lists, type: 'JSON' },
    ],
    rowGroupSize: [100, 3_000],
    pageSize: 2_000,
  });
  const rows = await readCells('pages.parquet');
  assert.equal(rows.length, 5_000);
  for (const [index, cells] of rows.entries()) {
    const items = JSON.stringify(lists[index]);
    assert.deepEqual(cells, [values[index], `kind ${index % 3}`, index % 7 === 0 ? null : index, items]);
  }
});

test('the hash of a Parquet table is that of its bytes, and differs if they change while it is read', async () => {
  const name = write('hash.parquet', fs.readFileSync(TYPES));
  const table = await open(name);
  const bytes = createHash('sha256').update(fs.readFileSync(TYPES)).digest('hex');
  const read = async (meanwhile: () => void) => {
    let sha256 = '';
    for await (const _ of table.readRows(signal, (hex) => (sha256 = hex))) meanwhile();
    return sha256;
  };
  assert.equal(await read(() => undefined), bytes);
  assert.equal(await table.readSha256(signal), bytes);
  const changed = await read(() => write(name, Buffer.concat([fs.readFileSync(TYPES), Buffer.from('PAR1')])));
  assert.match(changed, /^changed-/);
});

const whole = fs.readFileSync(TYPES);
const damage = (change: (bytes: Buffer) => Buffer) => change(Buffer.from(whole));
const REFUSED: readonly (readonly [name: string, bytes: Buffer, says: RegExp])[] = [
  ['cut.parquet', damage((bytes) => bytes.subarray(0, 5_000)), /does not end like a Parquet file; was it copied or written completely\?/],
  ['text.parquet', Buffer.from('a,b\n1,2\n'), /does not end like a Parquet file/],
  ['packed.parquet.gz', gzipSync(whole), /is compressed with gzip; Parquet is compressed inside: decompress it first/],
  [
    'encrypted.parquet',
    damage((bytes) => Buffer.concat([bytes.subarray(0, -4), Buffer.from('PARE')])),
    /is encrypted Parquet, which cannot be read/,
  ],
  [
    'footer.parquet',
    damage((bytes) => {
      bytes.fill(0xff, bytes.length - 200, bytes.length - 8);
      return bytes;
    }),
    /its metadata, at the end of the file, is damaged/,
  ],
  ['page.parquet', damage((bytes) => bytes.fill(0xff, 4, 40)), /column "id", row group 1: .*\. Write the file again, or export it as CSV/],
  ['huge.parquet', damage((bytes) => bytes.fill(0x7f, bytes.length - 8, bytes.length - 4)), /has more than 256 MB of metadata/],
];

for (const [name, bytes, says] of REFUSED) {
  test(`${name} is refused in a sentence`, async () => {
    await assert.rejects(async () => readCells(write(name, bytes)), { name: 'UsageError', message: says });
  });
}

test('a Parquet file is recognised by its beginning, whatever its name, and not read as another format', async () => {
  assert.equal((await open(write('table', whole))).format, 'parquet');
  assert.equal((await open(write('table.csv', whole))).format, 'parquet');
  await assert.rejects(open('table.csv', 'csv'), { message: /table\.csv: is parquet, not csv; write format: parquet, or nothing/ });
});

const REAL = path.resolve(projectRoot, '..', 'shared', 'data', 'parquet');
const skip = fs.existsSync(REAL) ? false : 'the folder of real tables is not beside this checkout';

/** Rows, and a hash of all cells as JSON, which was taken when they had been held against DuckDB 1.5 and pyarrow 25. */
const REAL_TABLES: readonly (readonly [file: string, expected: string | RegExp])[] = [
  ['alltypes_dictionary', '2 22a409064c6e'],
  ['alltypes_plain', '8 9a1af037e43b'],
  ['alltypes_plain.snappy', '2 21a7645aa15b'],
  ['binary', '12 fea668aeabb2'],
  ['byte_array_decimal', '24 a8bb97c5d0ac'],
  ['byte_stream_split.zstd', '300 7cbe008525c3'],
  ['concatenated_gzip_members', '513 c8bf75669a93'],
  ['datapage_v2.snappy', '5 96722173ea86'],
  ['delta_byte_array', '1000 d4dd688535e3'],
  ['fixed_length_decimal', '24 a8bb97c5d0ac'],
  ['float16_nonzeros_and_nans', '8 036979994c3d'],
  ['int32_decimal', '24 a8bb97c5d0ac'],
  ['int64_decimal', '24 a8bb97c5d0ac'],
  ['int96_from_spark', '6 d8f86223c963'],
  ['large_string_map.brotli', /column "arr", row group 1: pages of more than 512 MB are not supported/],
  ['list_columns', '3 9fbaae54b147'],
  ['lz4_raw_compressed', '4 6a4f71f96092'],
  ['nation.dict-malformed', '25 030a3bdb6a74'],
  ['nested_lists.snappy', '3 64d0429d08a4'],
  ['nested_maps.snappy', '6 7dfbb5a4ca00'],
  ['nested_structs.rust', '1 2629091a064b'],
  ['null_list', '1 33ea8a78f520'],
  ['nullable.impala', '7 8f8d92ca9167'],
  ['nulls.snappy', '8 8d091b4ebbda'],
  ['old_list_structure', '1 dc3f26ae6b20'],
  ['rle-dict-uncompressed-corrupt-checksum', /column "long_field", row group 1: a page does not match its checksum/],
  ['rle_boolean_encoding', '68 2f04f7490194'],
];

test('Parquet files of many writers are read correctly, or refused in a sentence', { skip }, async () => {
  for (const [name, expected] of REAL_TABLES) {
    const read = async () => {
      const rows = await readCells(path.join(REAL, `${name}.parquet`));
      return `${rows.length} ${createHash('sha256').update(stringifyExactly(rows)).digest('hex').slice(0, 12)}`;
    };
    if (typeof expected === 'string') assert.equal(await read(), expected, name);
    else await assert.rejects(read, { name: 'UsageError', message: expected }, name);
  }
  assert.equal(REAL_TABLES.length, fs.readdirSync(REAL).length);
});
