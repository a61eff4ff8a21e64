import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startProgress } from '../src/cli/progress.ts';
import { createForecast } from '../src/cli/render/forecast.ts';
import { renderProgress } from '../src/cli/render/render-progress.ts';
import { wrapText } from '../src/cli/render/wrap-text.ts';
import { ApiError } from '../src/openai/api-error.ts';
import { describeContact } from '../src/openai/describe-contact.ts';
import { NO_TOTALS } from '../src/run/open/books.ts';
import type { RunView } from '../src/run/send/run-view.ts';
import { createScreen } from './helpers/screen.ts';

const LIVE: RunView = {
  ...{ job: 'ticket-labels', run: 'r', model: 'gpt-4.1-nano', lane: 'live', priced: 'live', elapsedMs: 508_000, phase: 'reading' },
  ...{ rows: 12_000, requests: 12_000, okRequests: 4_120, rowsAsked: 12_000, okRows: 4_120, failedRows: 0, attempts: 4_200, underWay: [] },
  totals: NO_TOTALS,
  isSimulated: false,
  calls: {
    inFlight: 16,
    waiting: 16,
    concurrency: 16,
    oldestMs: 45_000,
    pace: {
      requestsLastMinute: 487,
      tokensLastMinute: 143_000,
      backOffs: { calls: 3, nextMs: 3_600 },
      refusals: 3,
      latencyMs: { p50: 800, p95: 2_100 },
      waitingFor: 'tokens',
      requestsPerMinute: 500,
      tokensPerMinute: 200_000,
      tokenCharging: 'actual',
      blockedMs: 0,
    },
  },
  ...{ enqueuedTokens: { limitTokens: null, usedTokens: 0 }, spentNanoUsd: 410_000_000, unpricedAttempts: 0, budgetNanoUsd: 2_000_000_000 },
  ...{ deadline: null, waits: ['connecting to 127.0.0.1:8099: refused, trying again, 12 s'] },
};
const FORECAST = { etaMs: 970_000, projectedNanoUsd: 1_190_000_000 };
const look = (columns: number) => ({ now: new Date(0), columns, rows: 24, colour: false });

describe('progress at 80 and at 140 columns', () => {
  it('breaks lines between groups, never within a word, and formats counts alike', () => {
    assert.deepEqual(renderProgress(LIVE, FORECAST, look(80)), [
      'ticket-labels  live  gpt-4.1-nano                       elapsed 08:28  eta 16:10',
      '████████░░░░░░░░░░░░░░░░░░ 4,120/12,000 answered   spent $0.41   projected $1.19',
      'budget $2.00',
      'rpm 487/500   tpm 143k/200k   in flight 16/16, the oldest for 45 s',
      'waiting: tokens   back-off: 3 calls, next in 4 s   p50 0.8 s  p95 2.1 s',
      ' connecting to 127.0.0.1:8099: refused, trying again, 12 s',
    ]);
    assert.deepEqual(renderProgress(LIVE, FORECAST, look(140)).slice(1, 3), [
      '██████████░░░░░░░░░░░░░░░░░░░░ 4,120/12,000 answered   spent $0.41   projected $1.19   budget $2.00',
      'rpm 487/500   tpm 143k/200k   in flight 16/16, the oldest for 45 s   waiting: tokens   back-off: 3 calls, next in 4 s   p50 0.8 s  p95 2.1 s',
    ]);
  });

  it('is never wider or longer than the terminal', () => {
    const view = {
      ...LIVE,
      job: 'a'.repeat(90),
      waits: Array.from({ length: 40 }, (_, index) => `waiting for 結果 number ${index} `.repeat(4)),
    };
    for (const columns of [20, 33, 80, 140]) {
      const lines = renderProgress(view, FORECAST, { ...look(columns), rows: 10 });
      assert.ok(lines.length <= 10);
      for (const line of lines) assert.ok(line.length <= columns, line);
    }
  });

  it('leaves nothing behind when the terminal is resized, when a ^C is shown, and at the end', async () => {
    // With room above: what a narrower terminal pushes into its history nobody can take back.
    const screen = createScreen(80, 60);
    const before = Array.from({ length: 30 }, (_, index) => `line ${index}`).join('\n');
    screen.stream.write(`${before}\n`);
    const progress = startProgress(LIVE, 'auto', screen.stream);
    try {
      for (const columns of [60, 140, 45, 100, 80]) {
        await screen.resize(columns);
        screen.stream.write('^C');
      }
      await screen.resize(60);
      assert.equal((await screen.read()).split('elapsed').length, 2);
      screen.stream.write('^C');
      progress.clear();
      screen.stream.write('A message\n');
    } finally {
      progress.stop();
    }
    assert.equal(await screen.read(), `${before}\nA message`);
    screen.dispose();
  });
});

describe('a forecast', () => {
  function watch(change: Partial<RunView>) {
    let nowMs = 0;
    let shown = { ...LIVE, okRows: 1_000, spentNanoUsd: 0, ...change } as RunView;
    const read = createForecast(new Proxy(LIVE, { get: (_, name) => shown[name as keyof RunView] }), () => nowMs);
    return (atMs: number, at: Partial<RunView>) => {
      nowMs = atMs;
      shown = { ...shown, ...at };
      return read();
    };
  }

  it('is computed from the pace of the last minute, and from the cost of the rows this run has answered', () => {
    const look = watch({});
    assert.deepEqual(look(0, {}), { etaMs: null, projectedNanoUsd: null });
    assert.deepEqual(look(2_000, { okRows: 1_010, spentNanoUsd: 10 }), { etaMs: null, projectedNanoUsd: null });
    assert.deepEqual(look(10_000, { okRows: 1_100, spentNanoUsd: 100 }), { etaMs: 1_090_000, projectedNanoUsd: 11_000 });
    for (let second = 11; second <= 90; second++) look(second * 1_000, { okRows: 1_100 + (second - 10) * 100 });
    assert.ok(Math.abs((look(91_000, { okRows: 9_200 }).etaMs ?? 0) - 28_000) < 1_500);
  });

  it('counts rows that failed for good as done, in time and in money', () => {
    const look = watch({});
    look(0, {});
    const { etaMs, projectedNanoUsd } = look(10_000, { okRows: 1_060, failedRows: 40, spentNanoUsd: 100 });
    assert.deepEqual({ etaMs, projectedNanoUsd }, { etaMs: 1_090_000, projectedNanoUsd: 11_000 });
    assert.equal(look(11_000, { okRows: 11_000, failedRows: 1_000 }).etaMs, 0);
  });

  it('counts what batches have finished, and is absent if nothing moves or a price is unknown', () => {
    const batch = { id: 'b', status: 'in_progress', counts: { completed: 0, failed: 0, total: 11_000 }, expiresSeconds: null };
    const at = (completed: number) =>
      ({
        underWay: [{ shard: '1', rows: 11_000, phase: 'polling', batch: { ...batch, counts: { ...batch.counts, completed } } }],
      }) as never;
    const look = watch({ lane: 'batch', ...(at(0) as object) });
    look(0, {});
    assert.equal(look(60_000, {}).etaMs, null);
    assert.equal(look(120_000, at(5_500)).etaMs, 120_000);
    assert.equal(look(121_000, { okRows: 5_000, spentNanoUsd: 9, unpricedAttempts: 1 }).projectedNanoUsd, null);
  });
});

describe('lines on a terminal', () => {
  for (const { name, text, columns, shown } of [
    {
      name: 'a label',
      text: 'rows in   3,000 = 2,990 ok + 10 failed',
      columns: 28,
      shown: 'rows in   3,000 = 2,990 ok +\n          10 failed',
    },
    { name: 'prose', text: 'one two three four five', columns: 20, shown: 'one two three four\nfive' },
    { name: 'two lines', text: 'a\nb', columns: 20, shown: 'a\nb' },
    { name: 'a path', text: `see ${'x'.repeat(30)} there`, columns: 20, shown: `see\n${'x'.repeat(30)}\nthere` },
    {
      name: 'a command',
      text: "next      rowmill run 'my job.yaml' --state-dir 'a b' --limit 10",
      columns: 36,
      shown: "next      rowmill run \\\n            'my job.yaml' \\\n            --state-dir 'a b' \\\n            --limit 10",
    },
    {
      name: 'a command in a sentence',
      text: 'start "rowmill simulate --port 8089", and pass its address to the run',
      columns: 40,
      shown: 'start "rowmill simulate --port 8089",\nand pass its address to the run',
    },
    {
      name: 'a command that does not fit into its sentence',
      text: 'waits for a process: it stopped; to continue: rowmill run big.yaml --base-url http://127.0.0.1:18766/v1 --max-usd 0.01',
      columns: 60,
      shown:
        'waits for a process: it stopped; to continue:\n  rowmill run big.yaml \\\n    --base-url http://127.0.0.1:18766/v1 --max-usd 0.01',
    },
    {
      name: 'two commands, and what joins them',
      text: "eval needs a column: rowmill eval k.yaml --gold gold, or rowmill eval k.yaml --gold 'it'\\''s'. Both work",
      columns: 40,
      shown: "eval needs a column:\n  rowmill eval k.yaml --gold gold\nor\n  rowmill eval k.yaml --gold 'it'\\''s'\nBoth work",
    },
    {
      name: 'an option without a value',
      text: 'of them rowmill failures k.yaml --simulate says why (cd sub && rowmill run k.yaml). Go on?',
      columns: 40,
      shown: 'of them\n  rowmill failures k.yaml --simulate\nsays why\n  cd sub && rowmill run k.yaml\nGo on?',
    },
    {
      name: 'a label with colours before a command',
      text: '\u001b[2mnext      \u001b[22mrowmill run k.yaml --base-url http://127.0.0.1:18766/v1',
      columns: 40,
      shown: '\u001b[2mnext      \u001b[22mrowmill run k.yaml \\\n            --base-url \\\n            http://127.0.0.1:18766/v1',
    },
    { name: 'wide characters', text: '香りがよい 香りがよい 香りがよい', columns: 22, shown: '香りがよい 香りがよい\n香りがよい' },
    {
      name: 'colours',
      text: '\u001b[2mspent     \u001b[22mone two three',
      columns: 20,
      shown: '\u001b[2mspent     \u001b[22mone two\n          three',
    },
  ])
    it(`are broken between words: ${name}`, () => assert.equal(wrapText(text, columns), shown));
});

it('how a provider is reached is told with its host, in words, and since when', () => {
  const failure = (code: string, kind: 'not-sent' | 'again' = 'not-sent') => new ApiError(`no connection (${code})`, { kind, code });
  assert.equal(
    describeContact('api.openai.com', failure('ECONNREFUSED'), 12_000),
    'connecting to api.openai.com: refused, trying again, 12 s',
  );
  assert.equal(describeContact('h', failure('EWHATEVER'), 1), 'connecting to h: EWHATEVER, trying again, 1 s');
  assert.equal(describeContact('h', failure('x', 'again'), 130_000), 'h: no connection (x); trying again, 3 min');
});
