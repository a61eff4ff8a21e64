import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { test } from 'node:test';
import { type Account, readAccountUse } from '../src/prove/check/account-use.ts';

/** One call a second is allowed, or sixty tokens, and four seconds of it at once. */
const ACCOUNT: Account = {
  requestsPerMinute: 60,
  tokensPerMinute: null,
  allowedSeconds: (windowMs) => windowMs / 1000 + 4,
  warmUpMs: 2_000,
  tailMs: 0,
};
const TOKENS: Account = { ...ACCOUNT, requestsPerMinute: null, tokensPerMinute: 3_600 };
const EVERY_SECOND = Array.from({ length: 11 }, (_, second) => second);

interface Call {
  readonly second: number;
  readonly isRefused?: boolean;
  readonly tokens?: number;
}

function read(calls: readonly Call[], account = ACCOUNT) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rowmill-'));
  try {
    const at = (second: number) => new Date(second * 1000).toISOString();
    const write = (name: string, lines: readonly object[]) => {
      fs.writeFileSync(path.join(folder, name), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
      return path.join(folder, name);
    };
    const trace = calls.map(({ second, isRefused }) => ({ at: at(second), path: '/v1/chat/completions', status: isRefused ? 429 : 200 }));
    const answered = calls.filter(({ isRefused }) => isRefused !== true);
    const bill = answered.map(({ second, tokens = 1 }) => ({ at: at(second), usage: { total_tokens: tokens } }));
    const others = { at: at(3), path: '/v1/models', status: 200 };
    return readAccountUse({ traceFile: write('trace', [...trace, others]), billFile: write('bill', bill) }, account);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

const steady = EVERY_SECOND.map((second): Call => ({ second }));
const CASES: readonly { title: string; calls: readonly Call[]; account?: Account; used: number; fullest: number; refused: number }[] = [
  { title: 'calls at the pace of the account use all of it', calls: steady, used: 1, fullest: 11 / 14, refused: 0 },
  {
    title: 'a burst is allowed, and counts as no use of the steady part',
    calls: [...[0, 0, 0].map((second) => ({ second })), ...steady],
    used: 1,
    fullest: 1,
    refused: 0,
  },
  {
    title: 'more than the burst is too much for its window, also behind a pause',
    calls: [...steady, ...Array.from({ length: 6 }, () => ({ second: 30 }))],
    used: 9 / 28,
    fullest: 6 / 4,
    refused: 0,
  },
  {
    title: 'refused calls count against the limit too',
    calls: [...steady, ...[5, 5, 5, 5, 5, 5].map((second) => ({ second, isRefused: true }))].toSorted((a, b) => a.second - b.second),
    used: 14 / 8,
    fullest: 7 / 4,
    refused: 6 / 17,
  },
  {
    title: 'where tokens bind, they are what counts',
    calls: steady.map((call) => ({ ...call, tokens: 30 })),
    account: TOKENS,
    used: 0.5,
    fullest: 330 / 840,
    refused: 0,
  },
];

for (const { title, calls, account, ...expected } of CASES) {
  test(title, () => {
    const { used, fullest, refused } = read(calls, account);
    const round = (value: number) => Math.round(value * 1e6) / 1e6;
    assert.deepEqual(
      { used: round(used), fullest: round(fullest), refused: round(refused) },
      { used: round(expected.used), fullest: round(expected.fullest), refused: round(expected.refused) },
    );
  });
}

test('an account that nobody called is said, not judged', () => {
  assert.throws(() => read([]), /no call was made/);
});
