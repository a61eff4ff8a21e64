import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadJobText } from '../src/input/job/load-job.ts';
import { examineOutput } from '../src/inspect/doctor/examine-output.ts';

test('doctor says whether the table of a job can be written where write.path says', async (t) => {
  const cwd = mkdtempSync(join(tmpdir(), 'rowmill-'));
  t.after(() => rmSync(cwd, { recursive: true, force: true }));
  writeFileSync(join(cwd, 'in.csv'), 'text\nhello\n');
  writeFileSync(join(cwd, 'kept.csv'), 'mine');
  chmodSync(join(cwd, 'kept.csv'), 0o400);
  mkdirSync(join(cwd, 'folder.csv'));
  symlinkSync('in.csv', join(cwd, 'link.csv'));
  const look = async (write: string, input = 'in.csv') => {
    const text = `name: j\ninput: { path: "${input}" }\nmodel: gpt-6-luna\nprompt: "{{ text }}"\noutput: text\nwrite: { path: "${write}" }\n`;
    const { job } = await loadJobText(text, { absolute: join(cwd, 'job.yaml'), shown: 'job.yaml' }, { cwd });
    const place = { cwd, stateDirectory: join(cwd, '.rowmill', 'j'), environmentFiles: [join(cwd, '.env')], now: new Date('2026-11-30') };
    return (await examineOutput(job, place)).map(({ name, status, message }) => `${name} ${status}: ${message}`);
  };
  for (const [write, said] of [
    ['out.csv', /^output ok: out\.csv can be written$/],
    ['new/out.csv', /^output ok: new\/out\.csv can be written; a run creates the folder new$/],
    ['out-{{ run.date }}.csv', /^output ok: out-2026-11-30\.csv can be written$/],
    ['in.csv', /^output problem: the table cannot be written to in\.csv: that is the table that is read, in\.csv/],
    ['link.csv', /^output problem: .*that is the table that is read/],
    ['folder.csv', /^output problem: .*it is a folder/],
    ['kept.csv', /^output problem: .*read-only/],
    ['in.csv/out.csv', /^output problem: .*in\.csv.*not a folder/],
    ['.rowmill/j/out.csv', /^output problem: .*state directory/],
  ] as const) {
    const [only, ...more] = await look(write);
    assert.deepEqual(more, []);
    assert.match(only ?? '', said);
  }
  const missing = await look('out.csv', 'im.csv');
  assert.match(missing[0] ?? '', /^input warning: im\.csv: no such table\. Did you mean "in\.csv"\?$/);
  assert.match(missing[1] ?? '', /^output ok/);
  assert.deepEqual(await look('-'), [], 'standard output');
});
