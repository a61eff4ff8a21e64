import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeAsked, readAsked, readOutputFlags } from '../src/input/draft/asked.ts';
import { guessRoles } from '../src/input/draft/column-roles.ts';
import { guessEncoding } from '../src/input/draft/guess-encoding.ts';
import { locateDrafts } from '../src/input/draft/locate-draft.ts';
import { showPlaceholder } from '../src/input/draft/placeholder.ts';
import { isAsWritten, sealText } from '../src/input/draft/seal.ts';
import { describeForeign } from '../src/input/table/foreign-file.ts';

/** Bytes that a decoder reads as these texts: Node encodes only UTF-8, UTF-16LE and Latin-1. */
const ENCODED: readonly (readonly [name: string, bytes: Buffer, encoding: string | null])[] = [
  ['plain', Buffer.from('id,text\n1,all of it is plain\n'), null],
  ['UTF-8, cut at both ends', Buffer.from('Größe, 大きさ, размер').subarray(3, -1), null],
  ['UTF-8 cut within its first letter', Buffer.from('ü und ö').subarray(1), null],
  ['German', Buffer.from('Größe passt überhaupt nicht, schön ist sie', 'latin1'), 'windows-1252'],
  ['French', Buffer.from('Très déçu, la fermeture est cassée dès le début', 'latin1'), 'windows-1252'],
  ['Russian', Buffer.from('d1f2f3eb20f1eaf0e8efe8f220efeef1ebe520ede5e4e5ebe8', 'hex'), 'windows-1251'],
  ['Japanese', Buffer.from('82b182cc8fa4956982cd82c682c482e097c782a282c582b7', 'hex'), 'shift_jis'],
  ['Korean', Buffer.from('c0ccb9b0b0c7c0baceb8b4c3bfeb20c1c1bdc0b4cfb4d9', 'hex'), 'euc-kr'],
  ['Chinese', Buffer.from('d5e2b8f6b2fac6b7b7c7b3a3bac3d3c3cdc6bcf6b9bac2f2', 'hex'), 'gb18030'],
  ['UTF-16, little', Buffer.from('id,text\n1,hello\n', 'utf16le'), 'utf-16le'],
  ['UTF-16, big', Buffer.from('id,text\n1,hello\n', 'utf16le').swap16(), 'utf-16be'],
];

test('an encoding that is not UTF-8 is guessed from the bytes', () => {
  for (const [name, bytes, encoding] of ENCODED) assert.equal(guessEncoding(bytes), encoding, name);
});

/** A table of so many rows; a cell is made from the row's number. */
function makeRows(count: number, cells: Readonly<Record<string, (index: number) => string>>) {
  const columns = Object.keys(cells);
  return { columns, rows: Array.from({ length: count }, (_, index) => columns.map((name) => cells[name]?.(index) ?? '')) };
}

const sentence = (index: number) => `this is the sentence with the number ${index}`;

test('roles of columns are guessed from their content and their names', () => {
  const cases = [
    [makeRows(20, { id: String, text: sentence }), { id: ['id'], texts: ['text'], labels: [] }],
    [makeRows(20, { price: (n) => `${n}.5`, text: sentence }), { id: [], texts: ['text'], labels: [] }],
    [makeRows(20, { code: (n) => `A-${n}`, other: (n) => `B-${n}`, text: sentence }), { id: ['code'], texts: ['text'], labels: [] }],
    [
      makeRows(20, { shop: (n) => 'abcd'[n % 4] ?? '', nr: (n) => String(n >> 2), text: sentence }),
      { id: ['shop', 'nr'], texts: ['text'], labels: [] },
    ],
    [makeRows(20, { text: sentence, mood: (n) => ['good', 'bad'][n % 2] ?? '' }), { id: [], texts: ['text'], labels: ['mood'] }],
    [makeRows(20, { company: (n) => `Firm ${n}`, size: String }), { id: [], texts: ['company'], labels: [] }],
    [
      makeRows(20, { url: (n) => `https://example.org/a/long/path/to/page/${n}`, text: sentence }),
      { id: ['url'], texts: ['text'], labels: [] },
    ],
    [makeRows(2, { id: String, count: (n) => String(n + 5) }), { id: ['id'], texts: ['count'], labels: [] }],
    [makeRows(20, { subject: (n) => `No. ${n}`, body: sentence }), { id: [], texts: ['subject', 'body'], labels: [] }],
    [makeRows(3, { '': String, 'a}}b': sentence, text: (n) => `word${n}` }), { id: ['text'], texts: ['a}}b'], labels: [] }],
  ] as const;
  for (const [sample, expected] of cases) {
    const { id, texts, labels } = guessRoles(sample);
    assert.deepEqual({ id, texts, labels: labels.map(({ name }) => name) }, expected, sample.columns.join());
  }
});

test('a column that would identify rows except for a repeated value is reported, unlike one that mostly repeats', () => {
  const near = (nr: (index: number) => string) => guessRoles(makeRows(50, { nr, text: sentence })).nearId;
  assert.deepEqual(
    near((n) => `R${n === 49 ? 7 : n}`),
    { name: 'nr', repeated: 'R7' },
  );
  assert.equal(
    near((n) => `R${n % 7}`),
    null,
  );
  assert.equal(near(String), null);
});

test('columns of text are the same whether a table is long or short, and however often its texts repeat', () => {
  const subjects = (n: number) => `Order ${n % 90}`;
  const cells = {
    id: String,
    subject: subjects,
    body: (n: number) => sentence(n % 15),
    long: (n: number) => `${sentence(n % 3)}, which goes on and on`,
    mood: (n: number) => ['I am quite happy', 'I am very unhappy', 'I do not care'][n % 3] ?? '',
  };
  for (const count of [15, 20, 100, 1_000])
    assert.deepEqual(guessRoles(makeRows(count, cells)).texts, ['subject', 'body', 'long'], `${count} rows`);
});

test('the question is read from flags, and from the file that was made from them', () => {
  assert.equal(readOutputFlags(['text']), 'text');
  assert.deepEqual(readOutputFlags(['a: x | y', 'b: number 0..1, c: string; d: string[]']), {
    a: 'x | y',
    b: 'number 0..1',
    c: 'string',
    d: 'string[]',
  });
  assert.deepEqual(readOutputFlags(['ville: Lyon | Paris, France']), { ville: 'Lyon | Paris, France' });
  for (const wrong of ['sentiment', '', 'x.csv', 'a | b', ': string', 'a:'])
    assert.throws(() => readOutputFlags([wrong]), /--output/, wrong);
  assert.throws(() => readOutputFlags(['a: string', 'a: number']), /two fields are called "a"/);
  assert.throws(() => readOutputFlags(['text', 'a: string']), /cannot be combined/);
  assert.deepEqual(makeAsked({ labels: ['a', 'b'] }).output, { label: 'label' });
  const asked = makeAsked({ prompt: 'Is it?', output: ['a: x | y'], model: 'm' });
  assert.deepEqual(readAsked({ prompt: { system: 'Is it?', user: '{{ text }}' }, output: { a: 'x | y' }, model: 'm' }), asked);
  for (const none of [null, 'text', [], {}, { prompt: 'x' }, { prompt: 'x', model: 'm', output: 3 }]) assert.equal(readAsked(none), null);
});

test('a sealed text shows whether it was edited, whatever its line breaks', () => {
  const text = sealText('name: a\nmodel: b\n');
  for (const same of [text, text.replaceAll('\n', '\r\n'), `\ufeff${text}`]) assert.ok(isAsWritten(same));
  for (const other of [text.replace('a', 'b'), `${text}# more\n`, `\n${text}`, 'name: a\n', '']) assert.ok(!isAsWritten(other));
});

test('the job file is next to the table, and its job is named after it', () => {
  const places = (table: string) => locateDrafts(table).map(({ file, name, out }) => [file, name, out]);
  assert.deepEqual(places('/data/reviews.csv.gz'), [
    ['/data/reviews.yaml', 'reviews', 'reviews.out'],
    ['/data/reviews.csv.gz.yaml', 'reviews.csv.gz', 'reviews.csv.gz.out'],
  ]);
  assert.deepEqual(places('/data/mails/*.csv')[0], ['/data/mails/mails.yaml', 'mails', 'out/mails']);
  assert.deepEqual(places('/data/mails/**/*.csv')[0], ['/data/mails/mails.yaml', 'mails', '../mails.out']);
  assert.equal(locateDrafts('/data/Käse & Brot (März).csv')[0]?.name, 'Kase-Brot-Marz');
  const [one, two] = ['/a/客户.csv', '/a/评论.csv'].map((table) => locateDrafts(table)[0]?.name ?? '');
  assert.match(one ?? '', /^table-[0-9a-f]{6}$/);
  assert.notEqual(one, two);
  assert.ok((locateDrafts(`/a/${'x'.repeat(200)}.csv`)[0]?.name.length ?? 99) <= 64);
});

test('a column is named in the form a template needs', () => {
  const names = ['text', 'Review Text', 'a"b', 'row', 'true', 'größe', '2nd'];
  assert.deepEqual(names.map(showPlaceholder), [
    '{{ text }}',
    '{{ row["Review Text"] }}',
    `{{ row['a"b'] }}`,
    '{{ row["row"] }}',
    '{{ row["true"] }}',
    '{{ row["größe"] }}',
    '{{ row["2nd"] }}',
  ]);
});

test('files that are not tables are recognised by their first bytes, not by their names', () => {
  const kinds: readonly (readonly [string, RegExp | null])[] = [
    ['PK\u0003\u0004....word/document.xml', /a text document/],
    ['PK\u0003\u0004....mimetypeapplication/vnd.oasis.opendocument.spreadsheet', /OpenDocument spreadsheet/],
    ['PK\u0003\u0004....a.csv', /a ZIP archive/],
    ['\u00d0\u00cf\u0011\u00e0', /\(\.xls\)/],
    ['SQLite format 3\u0000', /sqlite3 -header -csv a\.csv/],
    ['ARROW1', /Arrow/],
    ['\u0089PNG', /an image/],
    ['\u00ef\u00bb\u00bf  <html>', /a web page/],
    ['<?xml version="1.0"?>', /XML/],
    ['(\u00b5/\u00fd', /packed/],
    ['ORCHID,colour\nwhite,1\n', null],
    ['Parts,number\n1,2\n', null],
    ['{"id": 1}\n', null],
  ];
  for (const [head, says] of kinds) {
    const told = describeForeign('a.csv', Buffer.from(head, 'latin1'));
    if (says === null) assert.equal(told, null, head);
    else assert.match(told ?? '', says, head);
  }
});
