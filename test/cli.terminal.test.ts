import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { layOutQuestion } from '../src/cli/confirm.ts';
import { listenForInterrupts } from '../src/cli/interrupt.ts';
import { programName } from '../src/cli/program-name.ts';
import { startProgress } from '../src/cli/progress.ts';
import { createPaint } from '../src/cli/render/paint.ts';
import { renderFailures, renderRowHistory } from '../src/cli/render/render-failures.ts';
import { renderPrompt } from '../src/cli/render/render-prompt.ts';
import { renderRuns } from '../src/cli/render/render-runs.ts';
import { formatSpan } from '../src/cli/render/render-status.ts';
import { renderTable, type TableShape } from '../src/cli/render/render-table.ts';
import { showCommand, showRunCommand } from '../src/cli/run-options.ts';
import { rememberSecret, scrubSecrets } from '../src/host/secrets.ts';
import { NO_TOTALS } from '../src/run/open/books.ts';
import type { RunView } from '../src/run/send/run-view.ts';

const plain = createPaint(false);
/** Sets the title, moves the cursor, turns the text round, and rings. */
const HOSTILE = 'a\u001b]0;title\u0007\u001b[2J\u202eb\rc\u009bd';
const CONTROLS = /[^\n\P{Cc}]|[\u202a-\u202e\u2066-\u2069]/u;

describe('text on a terminal', () => {
  it('is harmless whatever rows, answers and names contain', () => {
    const example = { row: 1, file: HOSTILE, line: 1, id: HOSTILE, key: null, message: HOSTILE, text: HOSTILE };
    const failures = renderFailures(
      {
        schema: 'rowmill.failures/1',
        job: HOSTILE,
        run: null,
        simulated: false,
        rows: { in: 1, failed: 1, skipped: 0, pending: 0 },
        causes: [
          {
            cause: 'invalid',
            count: 1,
            status: 'failed',
            example,
            examples: [example],
          },
        ],
        outputCap: null,
        origin: 'default',
        baseUrl: null,
        csv: null,
      },
      { retry: new Map(), row: 'rowmill failures job.yaml' },
      false,
    );
    const history = renderRowHistory(
      {
        schema: 'rowmill.row/1',
        job: 'job',
        id: HOSTILE,
        row: 1,
        file: HOSTILE,
        line: 1,
        key: null,
        disposition: { status: 'failed', cause: 'invalid', message: HOSTILE },
        request: { messages: [{ role: HOSTILE, content: HOSTILE }], model: HOSTILE },
        attempts: [
          {
            run: 'run',
            customId: HOSTILE,
            lane: 'batch',
            outcome: 'invalid',
            message: HOSTILE,
            answer: HOSTILE,
            requestId: HOSTILE,
            costNanoUsd: 1,
          },
        ],
      },
      false,
    );
    for (const text of [failures, history, renderTable([[HOSTILE], [HOSTILE]], { maxCells: 80 }, plain)])
      assert.doesNotMatch(text, CONTROLS);
  });

  it('aligns columns by the terminal cells of characters', () => {
    const rows = [
      ['id', 'text', 'n'],
      ['1', '香りがよい', '5'],
      ['2', 'Great', '10'],
      ['3', 'A longer text than there is room for', '1'],
    ];
    assert.deepEqual(renderTable(rows, { maxCells: 12 }, plain).split('\n'), [
      'id  text          n',
      '1   香りがよい    5',
      '2   Great         10',
      '3   A longer te…  1',
    ]);
  });

  it('fits a table to a narrow terminal: shorter cells first, then fewer columns, which are named, then lines below', () => {
    const rows = [
      ['job', 'text', 'n', 'source'],
      ['one', 'a long text of words', '1,000', 'a list'],
    ];
    const show = (columns: number | null, shape: Partial<TableShape>) =>
      renderTable(rows, { maxCells: 40, ...shape }, createPaint(false, columns)).split('\n');
    const whole = ['job  text                  n      source', 'one  a long text of words  1,000  a list'];
    assert.deepEqual(show(null, { leastCells: 8, spare: ['source'] }), whole);
    assert.deepEqual(show(39, { leastCells: 8, spare: ['source'] }), [
      'job  text                 n      source',
      'one  a long text of wor…  1,000  a list',
    ]);
    assert.deepEqual(show(33, { spare: ['source', 'n'] }), [
      'job  text                  n',
      'one  a long text of words  1,000',
      'a wider terminal, or --json, shows more: source',
    ]);
    assert.deepEqual(show(25, { spare: ['source'] }), ['job  text', '  n      source', 'one  a long text of words', '  1,000  a list']);
  });

  it('shows an excerpt of long prompts, each message in it, what is left out, and how to see it', () => {
    const excerpt = { lines: 4, characters: 20, whole: 'rowmill plan job.yaml --prompts 1' };
    const more = (count: string) => `… ${count}; the whole prompt: ${excerpt.whole}\n`;
    const cases = [
      [['one\ntwo\nthree'], 'user: one\n  two\n  three\n'],
      [['1\n2\n3\n4\n5'], `user: 1\n  2\n  3\n  4 …\n${more('2 more characters')}`],
      [['short', 'x'.repeat(2_000)], `user: short\nuser: ${'x'.repeat(15)} …\n${more('1,985 more characters')}`],
      [['x'.repeat(11), 'y'.repeat(11)], `user: ${'x'.repeat(10)} …\nuser: ${'y'.repeat(10)} …\n${more('2 more characters')}`],
      [[`${'x'.repeat(19)}🙂`], `user: ${'x'.repeat(19)} …\n${more('2 more characters')}`],
    ] as const;
    for (const [texts, expected] of cases) {
      const request = { messages: texts.map((content) => ({ role: 'user', content })), model: 'gpt-4o-mini' };
      assert.equal(renderPrompt(request, plain, excerpt), `${expected}{ "model": "gpt-4o-mini" }`);
      assert.ok(!renderPrompt(request, plain).includes('more characters'));
    }
  });

  it('shows durations in the two largest units', () => {
    const spans = [-5, 8_000, 12 * 60_000, 78_000_000, 200_000_000].map(formatSpan);
    assert.deepEqual(spans, ['0s', '8s', '12m', '21h 40m', '2d 7h']);
  });
});

describe('progress on a terminal', () => {
  it('erases exactly the lines it painted, before a message and at the end', () => {
    const written: string[] = [];
    const stream = {
      isTTY: true,
      columns: 60,
      write: (text: string) => written.push(text),
      on() {},
      off() {},
    } as unknown as NodeJS.WriteStream;
    const view: RunView = {
      ...{
        job: 'reviews',
        run: 'r',
        model: `gpt-4o-mini${HOSTILE}`,
        lane: 'batch',
        priced: 'batch',
        elapsedMs: 61_000,
        rows: 12,
        requests: 10,
        okRequests: 4,
        rowsAsked: 11,
        okRows: 5,
        failedRows: 0,
      },
      ...{
        attempts: 4,
        totals: NO_TOTALS,
        isSimulated: false,
        underWay: [],
        calls: null,
        enqueuedTokens: { limitTokens: null, usedTokens: 0 },
        spentNanoUsd: 5,
        unpricedAttempts: 0,
        budgetNanoUsd: null,
        deadline: null,
        waits: [],
        phase: 'reading',
      },
    };
    const progress = startProgress(view, 'auto', stream);
    progress.clear();
    progress.clear();
    progress.stop();
    const [painted = '', ...erased] = written;
    const lines = painted.slice(1).split('\n').slice(0, -1);
    assert.ok(lines.every((line) => stripVTControlCharacters(line).length <= 60));
    assert.doesNotMatch(stripVTControlCharacters(lines.join('\n')), CONTROLS);
    const cleared = lines.map(() => '\u001b[2K').join('\n');
    assert.deepEqual(erased, [`\r\u001b[2K\r\u001b[${lines.length}A${cleared}\r\u001b[${lines.length - 1}A`]);
  });
});

it('a question is broken between words, and runs are not cut in a pipe', () => {
  const why = 'this run may cost up to $1.96, which is above confirm_over ($1.00)';
  const asked = why.replace('this', 'This');
  assert.equal(layOutQuestion(why, 60), `${asked.replace(' (', '\n(')}. Go on? [y/N] `);
  assert.equal(layOutQuestion(why, null), `${asked}. Go on? [y/N] `);
  assert.equal(layOutQuestion('t.csv is one', null), 't.csv is one. Go on? [y/N] ');
  const verdict = 'the batches are with the provider; run the same command later to collect them';
  const run = { id: 'r', startedAt: '2026-11-30T12:00:00Z', verdict, exitCode: 7, rows: null, cost: null, model: 'm', simulated: true };
  const lists = [{ job: 'reviews', file: 'job.yaml', runs: [run] }] as unknown as Parameters<typeof renderRuns>[0];
  const show = (columns: number | null) => renderRuns(lists, new Date(), createPaint(false, columns));
  assert.ok(show(null).endsWith(`${verdict}, simulated`));
  assert.doesNotMatch(show(100), /to collect them/);
  assert.match(show(100), /\nall simulated$/);
  assert.doesNotMatch(show(100), /, simulated/);
  const empty = [
    { ...lists[0], runs: [{ ...run, verdict: 'skipped rows', exitCode: 3, empty: 2, simulated: false }] },
  ] as unknown as typeof lists;
  assert.match(renderRuns(empty, new Date(), createPaint(false, 100)), /done, 2 empty$/);
  const shape = { maxCells: 40, leastCells: 24, spare: ['a', 'b'] };
  const wide = [
    ['a', 'b', 'c'],
    ['short', 'b'.repeat(40), 'c'.repeat(40)],
  ];
  const table = renderTable(wide, shape, createPaint(false, 49));
  assert.match(table, /^a +c\n/, 'a short column that was left out before a long one comes back');
  assert.match(table, /shows more: b$/);
});

describe('interrupts', () => {
  it('within half a second are one, as when `timeout` passes on what the terminal has sent', (t) => {
    const said: string[] = [];
    let nowMs = 5_000;
    const exit = t.mock.method(process, 'exit', () => {});
    const interrupts = listenForInterrupts(
      (line) => said.push(line),
      undefined,
      'rowmill run job.yaml',
      () => nowMs,
    );
    try {
      process.emit('SIGINT', 'SIGINT');
      nowMs += 499;
      process.emit('SIGINT', 'SIGINT');
      assert.deepEqual([interrupts.stopping.aborted, said.length, exit.mock.callCount()], [true, 1, 0]);
      nowMs += 1;
      process.emit('SIGINT', 'SIGINT');
      assert.match(said[1] ?? '', /^Stopped now\. .*\nContinue: rowmill run job\.yaml$/);
      assert.deepEqual(exit.mock.calls[0]?.arguments, [130]);
    } finally {
      interrupts.dispose();
    }
  });
});

describe('commands that are shown', () => {
  it('begin with npx where the program is installed in the folder itself', (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'rowmill-'));
    t.after(() => rmSync(folder, { recursive: true }));
    mkdirSync(join(folder, 'node_modules', '.bin'), { recursive: true });
    writeFileSync(join(folder, 'node_modules', '.bin', 'rowmill'), '');
    assert.equal(programName(folder), 'npx rowmill');
  });

  it('contain every flag that decides what they do, quoted for a shell', () => {
    const flags = { seed: 3, wait: true, ifRunning: 'fail', progress: 'auto', looks: [], pollMax: 1 } as const;
    const shown = showRunCommand("it's a job.yaml", { ...flags, input: 'a b.csv', sample: 5, out: 'x.csv', maxUsd: 2, simulate: true });
    assert.equal(
      shown,
      `${programName()} run 'it'\\''s a job.yaml' --input 'a b.csv' --simulate --out x.csv --sample 5 --seed 3 --max-usd 2`,
    );
    assert.equal(
      showCommand('failures', 'job.yaml', { baseUrl: 'http://127.0.0.1:1/v1' }),
      `${programName()} failures job.yaml --base-url http://127.0.0.1:1/v1`,
    );
  });
});

describe('scrubbing', () => {
  it('removes a key from a text in every form: plain, encoded, shortened', () => {
    const key = 'sk-test+0123456789abcdefghijklmnop/=';
    rememberSecret(key);
    const forms = [key, encodeURIComponent(key), Buffer.from(key).toString('base64'), key.slice(2, 22)];
    for (const form of forms) {
      const scrubbed = scrubSecrets(`before ${form} after`);
      assert.equal(scrubbed.includes('56789abc') || scrubbed.includes(form), false, form);
      assert.match(scrubbed, /^before .* after$/);
    }
    assert.equal(scrubSecrets('nothing to hide'), 'nothing to hide');
  });
});
