import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { createCsvScanner } from '../src/input/table/csv-scanner.ts';
import { assertAsOracle, checkRandomTexts } from './helpers/csv-oracle.ts';
import { projectRoot } from './helpers/project-root.ts';
import { runsOf, someOf } from './helpers/wide.ts';

/** Bytes of pieces under which every cut of a short text occurs, and one that is larger than most texts. */
const PIECES: readonly (readonly number[])[] = [[], [1], [2], [3, 1], [7], [100_000]];

/** Of every kind of text: records and quotes as they are written, as they go wrong, and as they end. */
const KINDS: readonly string[] = [
  '',
  '\n',
  '\r\n\r\n',
  'a,b',
  'a,b\n',
  'a,b\r1,2\r',
  'a,b\r\n\r\n\n\r1,2\r\n\r\n',
  '\n\na,b\n1,2',
  ',\n,\n',
  'a,\n1,',
  '"",""\n"",""',
  '""\n""\n',
  '"a","b"\r\n"1","2"',
  '"a ""b""","""",""""""\n1,2,3',
  '"""a"""\n"a"""\n"""a"\n',
  '"x,y","p\nq","r\r\ns\r\n","t\ru\r"\n1,2,3,4\n5,6,7',
  '"a\r\n\r\n\n\r",b\r\n\r\nc',
  ' a , b \n "x" ,2',
  '\ufeffa,b\n1,2\n',
  'größe,日本語,😀\n"ü","\n",é\nx,y',
  'a,b\n1\n',
  'a,b\n"1\n\n2",3\n4,5,6\n',
  'a\n\n1\n\n\n2,3',
  '"',
  'a,"',
  'a,"b\nc\nd',
  'a,"b""',
  'a\n"b"c\n',
  'a\n\n"b\r\nb" \n',
  '"a" ,b',
  'a,b"c\n',
  'a,b""\n',
  '日本"',
  '"日本"本',
  'é,"\r\n日"x',
  'a;b\n1,2;3\n"x;y";",;"',
  'a\tb\n"1\t2"\t3\n',
  'a§b\n"§"§é\nÂ§Â',
  `a,b\n${'x'.repeat(1_000)},"${'日,"" \n'.repeat(300)}"\n1`,
];

test('CSV texts of every kind are read as csv-parse reads them, wherever the pieces are cut', async () => {
  for (const text of KINDS) {
    for (const delimiter of someOf([',', ';', '\t', '§'], 2)) {
      for (const keepBlankLines of [false, true]) {
        for (const pieceBytes of someOf(PIECES, 2)) await assertAsOracle({ text, delimiter, keepBlankLines, pieceBytes });
      }
    }
  }
});

test('random CSV texts are read as csv-parse reads them: equal records on equal lines, or an equal refusal at an equal place', async () => {
  const runs = runsOf(1_500);
  const refused = await checkRandomTexts(runs);
  assert.ok(refused > runs / 4 && refused < (3 * runs) / 4, `${refused} of ${runs} were refused`);
});

test('an endless record is detected as soon as it is too long, without counting the records before it', () => {
  const scanner = createCsvScanner({ delimiter: ',', keepBlankLines: false, hasQuotes: true, firstLine: 1, maxRecordBytes: 1_000 });
  const records: unknown[] = [];
  const add = (text: string) => records.push(...scanner.add(Buffer.from(text)));
  add(`a,"${'x'.repeat(700)}`);
  // Not looked at yet: the record has not doubled.
  add('"\nb,"');
  assert.deepEqual([records.length, scanner.openBytes], [0, 708]);
  add('y'.repeat(400));
  assert.deepEqual([records.length, scanner.openBytes, scanner.line], [1, 403, 2]);
  for (let piece = 0; scanner.openBytes <= 1_000; piece += 1) {
    assert.ok(piece < 4);
    add('y'.repeat(200));
  }
  assert.deepEqual([records.length, scanner.openBytes, scanner.line], [1, 1_003, 2]);
});

const FOLDERS = ['fixtures', path.join('..', 'shared', 'data'), path.join('..', 'shared', 'cases', 'tables')];

for (const folder of someOf(FOLDERS, 1)) {
  const directory = path.resolve(projectRoot, folder);
  const names = fs.existsSync(directory) ? fs.readdirSync(directory, { recursive: true, encoding: 'utf8' }) : [];
  const tables = names.filter((name) => /\.[ct]sv$/.test(name));
  const skip = tables.length > 0 ? false : `${folder} is not beside this checkout, or has no table`;
  test(`the tables of ${folder} are read as csv-parse reads them`, { skip }, async () => {
    for (const name of tables) {
      const text = fs.readFileSync(path.join(directory, name), 'utf8').replace(/^\ufeff/, '');
      const delimiter = name.endsWith('.tsv') ? '\t' : ',';
      for (const pieceBytes of [[1_000, 17], [65_536]]) await assertAsOracle({ text, delimiter, keepBlankLines: false, pieceBytes });
    }
  });
}
