import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderNotice, type ToldNotice } from '../src/host/notices/render-notice.ts';
import { describeBudget } from '../src/run/budget/facts.ts';

const NOTICE: ToldNotice = {
  id: 'failed r1',
  event: 'failed',
  run: 'r1',
  sentence: 'tickets: failed rows (2 refused), 98 of 100 rows ok, $0.01',
  next: 'failures',
  job: 'tickets',
  at: '2026-11-30T03:17:00.000Z',
  command: 'rowmill failures jobs/tickets.yaml',
  place: { folder: '/srv/my labels', host: 'night<box>' },
};

test('a command in a notice can be pasted: it names the folder to type it in, and the host', () => {
  const show = (form: Parameters<typeof renderNotice>[1], change: Partial<ToldNotice> = {}) =>
    renderNotice({ ...NOTICE, ...change }, form).body;
  const { text } = JSON.parse(show('slack')) as { text: string };
  assert.equal(text, `${NOTICE.sentence}\non night&lt;box&gt;: \`cd '/srv/my labels' &amp;&amp; rowmill failures jobs/tickets.yaml\``);
  assert.equal(show('ntfy'), `${NOTICE.sentence}\non night<box>: cd '/srv/my labels' && rowmill failures jobs/tickets.yaml`);
  const json = JSON.parse(show('json')) as Record<string, unknown>;
  assert.deepEqual([json.command, json.folder, json.host], [NOTICE.command, '/srv/my labels', 'night<box>']);
});

test('a notice of a program, and one without a command, name no folder', () => {
  for (const form of ['slack', 'ntfy'] as const) {
    const { body } = renderNotice({ ...NOTICE, command: 'job.run()', place: null }, form);
    assert.ok(body.includes('job.run()') && !body.includes('cd '), body);
    assert.ok(!renderNotice({ ...NOTICE, command: null }, form).body.includes('/srv'));
  }
});

test('a notice about a budget over several runs says what each amount is', () => {
  const facts = { limitNanoUsd: 1_000, spentNanoUsd: 562_000 };
  assert.equal(
    describeBudget({ ...facts, of: 'month', month: '2026-11', beginsAnewAt: '2026-12-01T00:00:00.000Z' }),
    '$0.000562 spent of the $0.000001 for 2026-11; it resets on 2026-12-01 (UTC)',
  );
  assert.equal(
    describeBudget({ ...facts, of: 'total', month: null, beginsAnewAt: null }),
    '$0.000562 spent of the $0.000001 for all runs together',
  );
});
