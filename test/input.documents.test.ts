import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { makeJob } from '../src/input/job/make-job.ts';
import { openTable } from '../src/input/table/open-table.ts';
import { splitText } from '../src/input/table/split-text.ts';
import { runsOf } from './helpers/wide.ts';

const { signal } = new AbortController();
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rowmill-documents-'));
after(() => fs.rmSync(folder, { recursive: true }));

const FILES: Readonly<Record<string, string | Buffer>> = {
  'inbox/b.md': '# Grüße\n\n日本 😀\n',
  'inbox/deep/a.txt': Buffer.from('\uFEFFwith a mark', 'utf8'),
  'inbox/deep/empty.txt': '',
  'inbox/letter.pdf': '%PDF-1.7\nno text',
  'inbox/photo.png': Buffer.from('89504e470d0a1a0a0000000d', 'hex'),
  'inbox/wide.txt': Buffer.from('\uFEFFzwei', 'utf16le'),
  'inbox/page.html': '<html>kept</html>',
  'inbox/.hidden.txt': 'not this one',
  'other/latin.txt': Buffer.from('Gr\xfc\xdfe', 'latin1'),
};
for (const [name, bytes] of Object.entries(FILES)) {
  fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
  fs.writeFileSync(path.join(folder, name), bytes);
}

const makeInput = (input: object) =>
  makeJob({ name: 'docs', input, model: 'gpt-4o-mini', output: 'text', prompt: 'Read' }, { directory: folder }).input;

async function readRows(input: object) {
  const table = await openTable(makeInput(input), { cwd: folder, signal });
  const rows = [];
  for await (const chunk of table.readRows(signal)) rows.push(...chunk);
  return { table, rows, cells: rows.map((row) => row.cells) };
}

test('each file is a row: its path relative to the job, its name, its size, and its text if it is text', async () => {
  const { table, cells } = await readRows({ documents: 'inbox/**/*' });
  assert.equal(table.format, 'documents');
  assert.deepEqual(table.columns, ['path', 'name', 'bytes', 'text']);
  assert.deepEqual(cells, [
    ['inbox/b.md', 'b.md', 23, '# Grüße\n\n日本 😀\n'],
    ['inbox/deep/a.txt', 'a.txt', 14, 'with a mark'],
    ['inbox/deep/empty.txt', 'empty.txt', 0, ''],
    ['inbox/letter.pdf', 'letter.pdf', 16, ''],
    ['inbox/page.html', 'page.html', 17, '<html>kept</html>'],
    ['inbox/photo.png', 'photo.png', 12, ''],
    ['inbox/wide.txt', 'wide.txt', 10, 'zwei'],
  ]);
});

test('a glob may contain choices in braces, and a single file is a table too', async () => {
  const { cells } = await readRows({ documents: '{inbox,other}/**/*.{md,html}' });
  assert.deepEqual(
    cells.map(([name]) => name),
    ['inbox/b.md', 'inbox/page.html'],
  );
  assert.equal((await readRows({ documents: 'inbox/b.md' })).cells.length, 1);
  const latin = await readRows({ documents: 'other/*.txt', encoding: 'windows-1252' });
  assert.equal(latin.cells[0]?.[3], 'Grüße');
});

test('a path without documents, and a file that is not text in the encoding, are refused', async () => {
  await assert.rejects(readRows({ documents: 'inbox/*.doc' }), { message: /inbox\/\*\.doc: no file matches/ });
  await assert.rejects(readRows({ documents: 'inbox/b.mdd' }), { message: /no such document\. Did you mean "b\.md"\?/ });
  await assert.rejects(readRows({ documents: 'other' }), { message: /is not a file; name files by a glob like other\/\*\*\/\*\.txt/ });
  await assert.rejects(readRows({ documents: 'other/*.txt' }), { message: /latin\.txt:1.*not UTF-8|latin\.txt.*UTF-8/ });
  const refused: readonly (readonly [object, RegExp])[] = [
    [{}, /input/],
    [{ path: 'a.csv', documents: '*' }, /input\.documents: cannot be combined with path/],
    [{ path: 'a.csv', format: 'documents' }, /input\.format: documents are named by input\.documents/],
    [{ documents: '*', format: 'csv' }, /input\.format: documents are not csv/],
    [{ path: 'a.csv', split: { column: 'text', tokens: 100, overlap: 50 } }, /input\.split\.overlap: must be less than half of tokens/],
  ];
  for (const [input, says] of refused) assert.throws(() => makeInput(input), { message: says });
});

test('a document that cannot be read is a bad record: all are reported together, and bad_rows: skip keeps their places', async () => {
  const at = (name: string) => path.join(folder, 'bad', name);
  fs.mkdirSync(path.join(folder, 'bad'));
  fs.writeFileSync(at('a.txt'), 'fine');
  fs.writeFileSync(at('b.gz'), Buffer.from('\x1f\x8bno gzip', 'latin1'));
  fs.writeFileSync(at('c.txt'), Buffer.from('\nGr\xfc\xdfe', 'latin1'));
  fs.writeFileSync(at('d.tar.gz'), gzipSync(Buffer.from('name\0\0\0\xff', 'latin1')));
  await assert.rejects(readRows({ documents: 'bad/*' }), {
    message: /^bad\/b\.gz:1:1 .*broken gzip data.*\nbad\/c\.txt:2:1 .*not UTF-8.*\n2 bad lines; input\.bad_rows: skip/,
  });
  const { table, rows } = await readRows({ documents: 'bad/*', bad_rows: 'skip' });
  assert.deepEqual(
    rows.map(({ index, cells }) => [index, cells[3]]),
    [
      [0, 'fine'],
      [1, undefined],
      [2, undefined],
      [3, ''],
    ],
  );
  assert.match(rows[2]?.bad ?? '', /^line 2: bytes that are not UTF-8; .*: bad\/c\.txt$/);
  assert.deepEqual(table.readWarnings(), ['2 lines are no row and skipped (bad_row): bad/b.gz:1, bad/c.txt:2']);
  fs.symlinkSync('nowhere', at('e.txt'));
  await assert.rejects(readRows({ documents: 'bad/*' }), { message: /bad\/e\.txt: is a broken link/ });
});

test('renaming a document changes the table', async () => {
  fs.writeFileSync(path.join(folder, 'other', 'one.md'), 'same');
  const before = await (await readRows({ documents: 'other/*.md' })).table.readSha256(signal);
  fs.renameSync(path.join(folder, 'other', 'one.md'), path.join(folder, 'other', 'two.md'));
  const { table } = await readRows({ documents: 'other/*.md' });
  assert.notEqual(await table.readSha256(signal), before);
  let read = '';
  for await (const _ of table.readRows(signal, (hex) => (read = hex)));
  assert.equal(read, await table.readSha256(signal));
});

test('a long row becomes several, distinguished by the number of their part', async () => {
  const long = Array.from({ length: 40 }, (_, index) => `Sentence number ${index} is here.`).join(' ');
  fs.writeFileSync(
    path.join(folder, 'long.jsonl'),
    `${JSON.stringify({ id: 'x', text: long, more: 1 })}\n{"id":"y","text":"short"}\n{"id":"z"}\n`,
  );
  const { table, rows } = await readRows({ path: 'long.jsonl', id: 'id', split: { column: 'text', tokens: 100 } });
  assert.deepEqual(table.columns, ['id', 'text', 'more', '_part', '_parts']);
  const parts = rows.filter((row) => row.cells[0] === 'x');
  assert.ok(parts.length >= 3);
  assert.equal(parts.map((row) => row.cells[1]).join(''), long);
  assert.deepEqual(
    parts.map((row) => row.cells.slice(3)),
    parts.map((_, index) => [index + 1, parts.length]),
  );
  assert.deepEqual(
    rows.map((row) => row.index),
    rows.map((_, index) => index),
  );
  assert.deepEqual({ ...rows[0]?.record }, { id: 'x', text: parts[0]?.cells[1], more: 1, _part: 1, _parts: parts.length });
  assert.deepEqual(rows.at(-2)?.cells, ['y', 'short', undefined, 1, 1]);
  assert.deepEqual(makeInput({ path: 'long.jsonl', id: 'id', split: { column: 'text', tokens: 100 } }).id, ['id', '_part']);
  await assert.rejects(readRows({ path: 'long.jsonl', split: { column: 'txt', tokens: 100 } }), {
    message: /input\.split: no column "txt"\. Did you mean "text"\?/,
  });
});

test('parts without overlap add up to the text, and none cuts a character', () => {
  const text = fc.array(fc.constantFrom('word ', 'Ende. ', '\n\n', '日本語。', '😀', 'x'.repeat(30), '\n'), { maxLength: 120 });
  fc.assert(
    fc.property(text, fc.integer({ min: 16, max: 60 }), (pieces, tokens) => {
      const whole = pieces.join('');
      const parts = splitText(whole, { tokens, overlap: 0 });
      assert.equal(parts.join(''), whole);
      for (const part of parts) {
        assert.ok(part.isWellFormed());
        assert.ok(part.length <= tokens * 4 + 1);
      }
      assert.ok(parts.length === 1 || parts.every((part) => part !== ''));
    }),
    { numRuns: runsOf(100) },
  );
});

test('a part with overlap begins with the end of the previous one', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('word ', 'another ', '日本', '😀 ', '\n'), { minLength: 50, maxLength: 200 }), (pieces) => {
      const whole = pieces.join('');
      const parts = splitText(whole, { tokens: 32, overlap: 8 });
      let end = 0;
      for (const part of parts) {
        const start = whole.lastIndexOf(part, end);
        assert.ok(start !== -1 && start <= end, 'nothing is left out');
        assert.ok(part.isWellFormed());
        end = Math.max(end, start + part.length);
      }
      assert.equal(end, whole.length);
    }),
    { numRuns: runsOf(50) },
  );
});

test('a text is cut at a natural break: a paragraph rather than a sentence, a sentence rather than a word', () => {
  const sentence = 'This is one sentence of the text. ';
  assert.ok(
    splitText(sentence.repeat(20), { tokens: 100, overlap: 0 })
      .slice(0, -1)
      .every((part) => part.endsWith('. ')),
  );
  const paragraphs = `${sentence.repeat(10)}\n\n${sentence.repeat(10)}`;
  assert.equal(splitText(paragraphs, { tokens: 100, overlap: 0 })[0], `${sentence.repeat(10)}\n\n`);
});

test('no part begins with a combining mark, a joined emoji or half a flag, and a text without breaks is cut anyway', () => {
  const family = '\u{1F469}\u200D\u{1F469}\u200D\u{1F467}';
  for (const [name, one] of Object.entries({
    family,
    skin: '\u{1F44D}\u{1F3FD}',
    flag: '\u{1F1E9}\u{1F1EA}',
    accent: 'e\u0301',
    hindi: '\u0915\u093F',
  })) {
    const whole = one.repeat(200);
    const parts = splitText(whole, { tokens: 25, overlap: 0 });
    assert.equal(parts.join(''), whole, name);
    assert.ok(parts.length > 3, name);
    for (const part of parts) assert.ok(part.startsWith(one) && part.endsWith(one), name);
    for (const part of splitText(whole, { tokens: 25, overlap: 8 })) assert.ok(part.startsWith(one), `${name} with overlap`);
  }
  const marks = `e${'\u0301'.repeat(5_000)}`;
  assert.equal(splitText(marks, { tokens: 25, overlap: 0 }).join(''), marks);
});
