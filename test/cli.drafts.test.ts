import assert from 'node:assert/strict';
import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, parse } from 'node:path';
import { test } from 'node:test';
import { createWorld } from './helpers/command-line.ts';
import { projectRoot } from './helpers/project-root.ts';
import { someOf, wideTest } from './helpers/wide.ts';

const FOLDER = join(projectRoot, 'fixtures', 'drafts');
const tables = readdirSync(FOLDER).filter((name) => !name.endsWith('.yaml'));

/** What is asked of a table where nobody asks anything: the flags of one show how fields and labels are written. */
const FLAGS: Readonly<Record<string, readonly string[]>> = {
  'hotel.csv': ['--prompt', 'How content is the guest?', '--output', 'mood: bad | mixed | good', '--output', 'score: number 0..1'],
  'support.jsonl': ['--labels', 'billing, bug, feature', '--model', 'gpt-4o-mini'],
  'mails.tsv': ['--prompt', 'Is this from {{ from }}?\n{{ body }}', '--output', 'spam: boolean, why: string'],
};

const runnable = someOf(tables, 2);

for (const table of tables) {
  test(`the job file of ${table} is the golden one, is valid, and runs`, async (t) => {
    const world = createWorld({});
    t.after(() => world.dispose());
    copyFileSync(join(FOLDER, table), join(world.folder, table));
    const file = `${parse(table).name}.yaml`;
    const init = await world.run(['init', table, ...(FLAGS[table] ?? [])]);
    assert.deepEqual([init.exitCode, init.stdout], [0, `${file}\n`], init.stderr);
    const text = readFileSync(join(world.folder, file), 'utf8');
    if (process.env.UPDATE_GOLDEN === '1') writeFileSync(join(FOLDER, file), text);
    assert.equal(text, readFileSync(join(FOLDER, file), 'utf8'));
    if (!runnable.includes(table)) return;
    const run = await world.run(['run', file, '--simulate', '--progress', 'none']);
    assert.equal(run.exitCode, 0, run.stderr + run.stdout);
    const out = /\.jsonl?$/.test(table) ? 'jsonl' : 'csv';
    assert.ok(existsSync(join(world.folder, `${parse(table).name}.out.${out}`)));
  });
}

wideTest('from 500 rows on the mode is batch, and only the first 1,000 rows are examined', async (t) => {
  const rows = (count: number) =>
    `id,text\n${Array.from({ length: count }, (_, index) => `${index},this is the text number ${index}`).join('\n')}\n`;
  const world = createWorld({ 'short.csv': rows(499), 'long.csv': rows(500), 'longer.csv': `${rows(1_200)}x,"never closed` });
  t.after(() => world.dispose());
  for (const [name, mode, looked] of [
    ['short', 'live', 'all 499 rows'],
    ['long', 'batch', 'all 500 rows'],
    ['longer', 'batch', 'the first 1,000 rows'],
  ] as const) {
    const ended = await world.run(['init', `${name}.csv`]);
    assert.equal(ended.exitCode, 0, ended.stderr);
    const text = readFileSync(join(world.folder, `${name}.yaml`), 'utf8');
    assert.match(text, new RegExp(`^mode: ${mode} `, 'm'));
    assert.ok(text.includes(looked), text);
  }
});

wideTest('first lines of plain texts, unnameable columns and names like code cause no mistakes', async (t) => {
  const world = createWorld({
    'lines.txt': 'The first of them, which is a sentence, ends here.\nThe second is short\nThe third, too\n',
    'odd.csv':
      '"id","a{{ b }}","x\ny","it\'s ""q""","text # not: \\"\n1,a,b,c,"one two three four five six"\n2,d,e,f,"another # text: {{ odd }}"\n',
    'true.csv': 'row,labels,true,text\n1,a,b,this is a text to be read\n2,a,c,and this is another one of them\n',
  });
  t.after(() => world.dispose());
  for (const table of ['lines.txt', 'true.csv']) {
    const ended = await world.run(['init', table]);
    assert.equal(ended.exitCode, 0, ended.stderr);
    const run = await world.json<{ rows: { ok: number; in: number } }>(['run', table, '--simulate']);
    assert.deepEqual([run.exitCode, run.rows.ok], [0, run.rows.in], table);
  }
  assert.match(readFileSync(join(world.folder, 'lines.yaml'), 'utf8'), /columns: \[column_1\]/);
  assert.match(readFileSync(join(world.folder, 'true.yaml'), 'utf8'), /\{\{ row\["true"\] \}\}/);
  const odd = await world.run(['init', 'odd.csv']);
  assert.equal(odd.exitCode, 0, odd.stderr);
});

wideTest('if the table already has a column of the same name, added columns get a prefix', async (t) => {
  const table = 'id,text,mood,_status\n1,this is a text to be read,good,ok\n2,and this is another one of them,bad,ok\n';
  const world = createWorld({ 'labelled.csv': table });
  t.after(() => world.dispose());
  const flags = ['--prompt', 'How is it?', '--output', 'mood: good | bad', '--simulate', '--progress', 'none'];
  const ended = await world.run(['run', 'labelled.csv', ...flags]);
  assert.equal(ended.exitCode, 0, ended.stderr);
  const [header] = readFileSync(join(world.folder, 'labelled.out.csv'), 'utf8').split('\n');
  assert.match(header ?? '', /^id,text,mood,_status,llm_mood,llm__status,/);
});

wideTest(
  'plan says which columns a prompt takes, how to choose others, that nothing is measured yet, and what a mistyped model was meant to be',
  async (t) => {
    const world = createWorld({
      'notes.csv': `id,text,mood\n${Array.from({ length: 9 }, (_, n) => `${n},"the text with the number ${n}",${n % 2}\n`).join('')}`,
    });
    t.after(() => world.dispose());
    const asked = ['plan', 'notes.csv', '--prompt', 'Sum it up', '--model'];
    const known = await world.run([...asked, 'gpt-4o-mini']);
    assert.match(known.stdout, /\nguessed {3}the prompt takes text \(the column with text\); rows are named by id\n/);
    assert.match(known.stdout, /\n {10}to choose columns, name them in --prompt, as in '… \{\{ id \}\}'\n/);
    assert.match(
      known.stdout,
      /\n {2}live( +\$[\d.]+){2} +- +\$[\d.]+\n[\s\S]*upper: not known before a first run has measured some answers\n/,
    );
    const typo = await world.run([...asked, 'gpt-4o-mni']);
    assert.match(typo.stdout, /warning: no model gpt-4o-mni is known, .*Did you mean "gpt-4o-mini"\?/);
    assert.match(typo.stdout, /\nTo do it: rowmill run notes\.csv --prompt 'Sum it up' --model gpt-4o-mini\n$/);
    assert.equal((await world.run(['init', 'notes.csv', '--model', 'gpt-4o-mni'])).exitCode, 0);
    const clash = await world.run([...asked, 'gpt-4o-mini', '--output', 'mood: good | bad']);
    assert.match(clash.stdout, /\n {10}added columns begin with llm_: the table has one of their names already\n/);
    writeFileSync(join(world.folder, 'odd.csv'), 'Nr.,text\n1,one\n2,two\n');
    const odd = await world.run(['plan', 'odd.csv', '--prompt', 'Sum up {{ Nr. }}']);
    assert.match(odd.stderr, /Did you mean "Nr\."\? In a template it is \{\{ row\["Nr\."\] \}\}$/m);
    const job = await world.run(['plan', 'notes.yaml']);
    assert.match(job.stdout, /\nFirst, in notes\.yaml: model: gpt-4o-mini\nTo do it: rowmill run notes\.yaml\n$/);
  },
);

wideTest('a table with semicolons gets a job that writes them, with a byte order mark where the table has one', async (t) => {
  const table = 'Nr;Text;Ort\n1;"Der Kopfhörer, neu, ist gut";Köln\n2;Die Tür klemmt; München\n';
  const world = createWorld({
    'marked.csv': `\uFEFF${table}`,
    'bare.csv': table,
    'commas.csv': `\uFEFF${table.replaceAll(',', '').replaceAll(';', ',')}`,
  });
  t.after(() => world.dispose());
  const run = async (name: string) => {
    const ended = await world.run(['run', `${name}.csv`, '--prompt', 'Is it good?', '--simulate', '--progress', 'none']);
    assert.equal(ended.exitCode, 0, ended.stderr);
    return readFileSync(join(world.folder, `${name}.out.csv`), 'utf8');
  };
  assert.match(await run('marked'), /^\uFEFFNr;Text;Ort;answer;_status;[^,]*\r\n1;Der Kopfhörer, neu, ist gut;Köln;/);
  assert.match(readFileSync(join(world.folder, 'marked.yaml'), 'utf8'), /^ {2}delimiter: ; .*\n {2}excel: true /m);
  assert.match(await run('bare'), /^Nr;Text;Ort;answer;_status;[^,]*\n1;Der Kopfhörer, neu, ist gut;Köln;/);
  assert.match(await run('commas'), /^Nr,Text,Ort,answer,_status,/);
});
