import type { RunComparison, Scores } from '../../src/core/quality.ts';
import type { ReportFacts, SampleFacts, SampleText } from '../../src/output/report/facts.ts';

/** Text that would do something if it became markup, confuse a reader, or break a layout. */
export const HOSTILE: readonly string[] = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(2)>',
  "'><svg/onload=alert(3)>",
  '</pre></details></style></title><script src="https://evil.example/x.js"></script>',
  '<iframe src="javascript:alert(4)"></iframe>',
  '<a href="javascript:alert(5)" style="position:fixed;inset:0">x</a>',
  '<meta http-equiv="refresh" content="0;url=https://evil.example">',
  '<!-- ]]> --> <![CDATA[ &lt;script&gt; &#60;script&#62; %3Cscript%3E',
  '{{constructor.constructor("alert(6)")()}} `',
  'evil\u202egnp.exe \u2066hidden\u2069 \u0000\u001b[31m \ud800 half',
  'Ω≈ç√ 社會科學院語學研究所 العربية עברית 👩‍👩‍👧‍👦 🇩🇪 Z̮̞̠͙͔ͅḀ̗̞͈̻̗Ḷ͙͎̯̹̞͓G̻O̭̗̮',
  'W'.repeat(5_000),
];

const RANGE = { low: 0.84, high: 0.95 };

/** Scores of a run, a little better the more `right` it is. */
function makeScores(right: number): Scores {
  const cell = { support: 60, predicted: 58, correct: right, unanswered: 1, precision: null, recall: 0.9, f1: right / 60 };
  const intervals = { precision: null, recall: RANGE, f1: RANGE };
  return {
    rows: { evaluated: 100, answered: 98, correct: right + 30 },
    coverage: 0.98,
    accuracy: (right + 30) / 100,
    accuracyOfAnswered: 0.9,
    macroF1: 0.871,
    intervals: {
      level: 0.95,
      proportions: 'wilson',
      f1: { method: 'poisson bootstrap, percentile', resamples: 1000, seed: 1 },
      ...{ coverage: RANGE, accuracy: RANGE, accuracyOfAnswered: RANGE, macroF1: RANGE },
    },
    perClass: { billing: { ...cell, intervals }, [`only with ${right}`]: { ...cell, support: 3, intervals } },
    confusion: {},
  };
}

/** A comparison in which everything has something to show. */
export function makeComparison(change: Partial<RunComparison> = {}): RunComparison {
  const run = { rows: 210, spentNanoUsd: 4_100_000, unpricedAnswers: 0, inputTokens: 24_035, outputTokens: 8_100 };
  return {
    schema: 'rowmill.diff/1',
    job: 'ticket-labels',
    simulated: true,
    field: 'label',
    gold: { type: 'column', name: 'expected', column: null, unmatched: 0, unknownLabels: {} },
    a: { ...run, run: '20261121-0410-aaaaaaaaaa', model: 'gpt-6-luna', answersNanoUsd: 3_000_000, scores: makeScores(52) },
    b: {
      ...run,
      run: '20261122-0410-k3x9d02mqa',
      model: 'gpt-4.1-mini',
      answersNanoUsd: 4_000_000,
      unpricedAnswers: 2,
      scores: makeScores(57),
    },
    jobChanges: ['model', 'prompt'],
    jobDifferences: [
      { key: 'model', onlyInA: ['gpt-6-luna'], onlyInB: ['gpt-4.1-mini'] },
      { key: 'prompt', onlyInA: ['Label the ticket.'], onlyInB: ['Label the ticket with one label.', 'bug: something is broken'] },
    ],
    rows: {
      compared: 190,
      same: 150,
      changed: 31,
      answeredOnlyInA: 2,
      answeredOnlyInB: 4,
      unanswered: 3,
      onlyInA: 0,
      onlyInB: 20,
      notInTable: 1,
    },
    agreement: 0.829,
    agreementInterval: { low: 0.767, high: 0.877 },
    accuracyDifference: { value: 0.05, low: -0.012, high: 0.112 },
    mcnemar: { basis: 'correct', onlyA: 3, onlyB: 8, method: 'exact', statistic: null, pValue: 0.2266 },
    costDifferenceNanoUsd: 1_000_000,
    transitions: { billing: { billing: 100, bug: 21, other: 4 }, bug: { bug: 50, billing: 6 } },
    examples: [
      { row: 4, id: 't4', change: 'changed', a: 'billing', b: 'bug', gold: 'bug' },
      { row: null, id: null, change: 'answeredOnlyInB', a: 'refused: I will not', b: 'other', gold: null },
    ],
    csv: null,
    ...change,
  };
}

const SPREAD = { count: 190, mean: 126.5, p50: 120, p95: 190, p99: 240, max: 260 };

/** Facts in which every section has something to show. */
export function makeFacts(change: Partial<ReportFacts> = {}): ReportFacts {
  return {
    schema: 'rowmill.report/1',
    summary: {
      schema: 'rowmill.summary/1',
      job: 'ticket-labels',
      run: '20261122-0410-k3x9d02mqa',
      simulated: true,
      model: 'gpt-6-luna',
      verdict: 'failed rows',
      exitCode: 3,
      rows: { in: 210, ok: 200, failed: 6, skipped: 4, pending: 0, new: 184, reused: 9, duplicate: 7 },
      causes: { refused: 4, invalid: 2, empty: 4 },
      attempts: { total: 195, batch: 100, live: 95, unknown: 1 },
      tokens: { input: 24_035, cachedInput: 4_000, output: 8_100, reasoning: 0 },
      cost: {
        nanoUsd: 4_100_000,
        usd: '0.004100000',
        rowsNanoUsd: 4_000_000,
        orphanedNanoUsd: 100_000,
        failedRowsNanoUsd: 90_000,
        batchSavedNanoUsd: 2_000_000,
        reuseSavedNanoUsd: 300_000,
        possiblyBilledNanoUsd: 12_000,
        unpricedAttempts: 2,
        estimateNanoUsd: 3_900_000,
        pricesAsOf: '2026-11-21',
        priceNote: 'list prices of another provider',
      },
      ledger: { attempts: 800, nanoUsd: 21_000_000 },
      batches: [{ id: 'batch_1', status: 'completed', requests: 100 }],
      anomalies: { foreign: 1, conflict: 2 },
      outputs: { table: 'out/tickets.csv', failures: 'out/tickets.failures.csv', report: 'out/tickets.report.html' },
      next: 'rowmill failures jobs/ticket-labels.yaml',
    },
    description: 'One label for every ticket',
    startedAt: '2026-11-22T04:10:00.000Z',
    endedAt: '2026-11-22T06:21:30.000Z',
    budgetNanoUsd: 2_000_000_000,
    cacheSavedNanoUsd: 150_000,
    models: [
      {
        model: 'gpt-6-luna',
        rows: 184,
        inputTokens: 23_000,
        cachedInputTokens: 4_000,
        outputTokens: 8_000,
        nanoUsd: 3_910_000,
      },
      { model: null, rows: 6, inputTokens: 1_035, cachedInputTokens: 0, outputTokens: 100, nanoUsd: 90_000 },
    ],
    rowFigures: {
      inputTokens: SPREAD,
      outputTokens: { ...SPREAD, mean: 42.6, p50: 40, p95: 70, p99: 80, max: 90 },
      cost: { ...SPREAD, mean: 21_050, p50: 20_000, p95: 40_000, p99: 50_000, max: 61_000 },
      costHistogram: { from: 10_000, width: 2_500, counts: [3, 10, 40, 60, 30, 20, 10, 6, 5, 0, 3, 2, 1], beyond: 4 },
    },
    calls: {
      call: SPREAD,
      wait: { ...SPREAD, p50: 600 },
      callHistogram: { from: 50, width: 20, counts: [4, 30, 40, 12, 6, 2, 0, 1], beyond: 0 },
    },
    batches: [
      {
        id: 'batch_1',
        requests: 100,
        status: 'completed',
        phases: [
          { name: 'upload', fromAt: '2026-11-22T04:10:02.000Z', toAt: '2026-11-22T04:10:09.000Z' },
          { name: 'validating', fromAt: '2026-11-22T04:10:09.000Z', toAt: '2026-11-22T04:14:00.000Z' },
          { name: 'in progress', fromAt: '2026-11-22T04:14:00.000Z', toAt: '2026-11-22T06:11:00.000Z' },
          { name: 'finalizing', fromAt: '2026-11-22T06:11:00.000Z', toAt: '2026-11-22T06:21:00.000Z' },
          { name: 'collecting', fromAt: '2026-11-22T06:21:00.000Z', toAt: '2026-11-22T06:21:20.000Z' },
        ],
      },
    ],
    tempo: {
      lane: 'live',
      fromAt: '2026-11-22T04:10:00.000Z',
      stepMs: 64_000,
      steps: Array.from({ length: 100 }, (_, place) => ({ answers: (place * 7) % 13, tokens: 900, rateLimited: place === 40 ? 3 : 0 })),
      requestsPerMinute: 12,
      tokensPerMinute: 900,
    },
    causes: [
      { cause: 'refused', status: 'failed', rows: 4, retry: 'rowmill retry jobs/ticket-labels.yaml --cause refused' },
      { cause: 'empty', status: 'skipped', rows: 4, retry: null },
      { cause: 'invalid', status: 'failed', rows: 2, retry: 'rowmill retry jobs/ticket-labels.yaml --cause invalid' },
    ],
    commands: { failures: 'rowmill failures jobs/ticket-labels.yaml', sample: 'rowmill sample jobs/ticket-labels.yaml -n 50' },
    warnings: { messages: ['60 of the first 100 answers are refused', 'the labels have shifted since the last run'], more: 3 },
    fields: [
      {
        field: 'label',
        values: [
          { value: 'billing', rows: 120, previousRows: 90 },
          { value: 'bug', rows: 80, previousRows: 100 },
        ],
        previousRun: '20261121-0410-aaaaaaaaaa',
      },
    ],
    samples: [makeSample(3, 'failed'), makeSample(9, 'dearest'), makeSample(17, 'slowest'), makeSample(120, 'random')],
    runs: [
      {
        run: '20261120-0410-bbbbbbbbbb',
        startedAt: '2026-11-20T04:10:00.000Z',
        exitCode: 0,
        verdict: 'done',
        rows: { in: 170, ok: 170, failed: 0, skipped: 0, pending: 0, new: 170 },
        nanoUsd: 2_000_000,
      },
      {
        run: '20261121-0410-aaaaaaaaaa',
        startedAt: '2026-11-21T04:10:00.000Z',
        exitCode: 0,
        verdict: 'done',
        rows: { in: 190, ok: 190, failed: 0, skipped: 0, pending: 0, new: 190 },
        nanoUsd: 3_000_000,
      },
      {
        run: '20261122-0410-k3x9d02mqa',
        startedAt: '2026-11-22T04:10:00.000Z',
        exitCode: 3,
        verdict: 'failed rows',
        rows: { in: 210, ok: 200, failed: 6, skipped: 4, pending: 0, new: 184 },
        nanoUsd: 4_100_000,
      },
    ],
    provenance: {
      jobText: 'name: ticket-labels\nmodel: gpt-6-luna\n',
      jobSha256: 'a'.repeat(64),
      jobFile: 'jobs/ticket-labels.yaml',
      inputs: ['fixtures/tickets.csv'],
      rowmill: '0.1.0',
      node: 'v20.20.2',
      modelRequested: 'gpt-6-luna',
      origin: 'simulator',
      state: 'state1',
    },
    ...change,
  };
}

export function makeSample(row: number, why: SampleFacts['why']): SampleFacts {
  const isFailed = why === 'failed';
  return {
    row,
    file: 'tickets.csv',
    line: row + 1,
    key: `k${row}`,
    why,
    status: isFailed ? 'failed' : 'ok',
    cause: isFailed ? 'refused' : null,
    source: isFailed ? null : 'new',
    attempts: isFailed ? 3 : 1,
    model: 'gpt-6-luna',
    inputTokens: 120,
    outputTokens: 40,
    costNanoUsd: 21_000,
    callMs: why === 'slowest' ? 2_100 : null,
  };
}

export function makeText(say: string, isFailed = false): SampleText {
  return {
    id: say,
    message: isFailed ? say : null,
    answer: isFailed ? null : JSON.stringify({ label: 'bug', reason: say, [say.slice(0, 40)]: [say] }),
    prompt: [
      { role: 'system', text: 'Assign exactly one label to the ticket.' },
      { role: 'user', text: say },
    ],
    raw: say,
  };
}

/** Every text in a value replaced; keys of objects stay, but for those of maps by name. */
export function replaceTexts<Value>(value: Value, replace: (text: string) => string): Value {
  if (typeof value === 'string') return replace(value) as Value;
  if (Array.isArray(value)) return value.map((item) => replaceTexts(item, replace)) as Value;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, replaceTexts(item, replace)])) as Value;
}
