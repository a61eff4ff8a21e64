import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { createRandom } from '../bench/table-generator.ts';
import { AppError, EXIT, UsageError } from '../src/core/errors.ts';
import { openNoticeRecords } from '../src/host/notices/notice-records.ts';
import { postNotice } from '../src/host/notices/post-notice.ts';
import { readNoticeAddress } from '../src/host/notices/read-address.ts';
import { createNoticeTeller } from '../src/host/notices/tell-notices.ts';
import { scrubSecrets } from '../src/host/secrets.ts';
import { defineJob } from '../src/index.ts';
import { type ComparedRun, findShifts } from '../src/inspect/notices/find-shifts.ts';
import { leaveOutSaid } from '../src/inspect/notices/leave-out-said.ts';
import { makeEventLine } from '../src/ledger/events/event-line.ts';
import { CANARY_CELL, makeWorld } from './helpers/run-world.ts';

const SECRET = 'canary-hook-5tRe';

async function listen(t: TestContext, server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** A receiver that is no web server: it does this to whoever has said something. */
async function startStrange(t: TestContext, answer: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  t.after(() => sockets.forEach((socket) => void socket.destroy()));
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('data', () => answer(socket));
  });
  return listen(t, server);
}

/** A web server that keeps what it was told. */
async function startHook(t: TestContext): Promise<{ readonly url: string; readonly received: readonly Record<string, string>[] }> {
  const received: Record<string, string>[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    received.push(JSON.parse(Buffer.concat(chunks).toString()) as Record<string, string>);
    response.end('ok');
  });
  const port = await listen(t, server);
  t.after(() => server.closeAllConnections());
  return { url: `http://127.0.0.1:${port}/${SECRET}`, received };
}

/** What each receiver does, and what is said then. `hangs`: nothing ends it but the time for all posts, which this test ends by hand. */
const RECEIVERS: Readonly<Record<string, { scheme?: string; answer: (socket: Socket) => void; ends: RegExp; hangs?: true }>> = {
  'says nothing': { answer: () => {}, ends: /^unanswered it did not answer in time$/, hangs: true },
  'has early hints and no answer': {
    answer: (socket) => void socket.write('HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n'),
    ends: /^unanswered/,
    hangs: true,
  },
  'never ends a handshake': { scheme: 'https', answer: () => {}, ends: /^failed it could not be reached \(UND_ERR_CONNECT_TIMEOUT\)$/ },
  'speaks no TLS': {
    scheme: 'https',
    answer: (socket) => void socket.end('no TLS\r\n\r\n'),
    ends: /^failed it could not be reached \(\w+\)$/,
  },
  'speaks no HTTP': { answer: (socket) => void socket.end('\0\u0001garbage\n\n'), ends: /^failed it could not be reached \([\w ]+\)$/ },
  'hangs up': { answer: (socket) => void socket.destroy(), ends: /^failed it could not be reached \(\w+\)$/ },
  'has a header without end': {
    answer: (socket) => void socket.write(`HTTP/1.1 200 OK\r\nx: ${'a'.repeat(1 << 20)}`),
    ends: /^failed it could not be reached \(UND_ERR_HEADERS_OVERFLOW\)$/,
  },
  'has a body without end': { answer: (socket) => void socket.write(`HTTP/1.1 200 OK\r\n\r\n${'a'.repeat(1 << 20)}`), ends: /^told$/ },
  ...Object.fromEntries(
    ['301 http://10.0.0.1/x', '302 https://elsewhere.example/x', '303 /again', '307 file:///etc/passwd', '308 //x'].map((answer) => {
      const [status = '', location = ''] = answer.split(' ');
      const said = `HTTP/1.1 ${status} Moved\r\nlocation: ${location}\r\ncontent-length: 0\r\n\r\n`;
      const ends = new RegExp(`^failed it answered with status ${status}, a redirect, which is not followed$`);
      return [`redirects: ${answer}`, { answer: (socket: Socket) => void socket.end(said), ends }];
    }),
  ),
};

for (const [name, { scheme = 'http', answer, ends, hangs }] of Object.entries(RECEIVERS)) {
  it(`a receiver that ${name}`, async (t) => {
    const over = new AbortController();
    let posts = 0;
    const port = await startStrange(t, (socket) => {
      posts += 1;
      answer(socket);
      if (hangs) over.abort();
    });
    const url = new URL(`${scheme}://127.0.0.1:${port}/${SECRET}`);
    const end = await postNotice(url, { headers: { 'content-type': 'text/plain' }, body: 'x' }, over.signal);
    const said = end.status === 'told' ? end.status : `${end.status} ${end.why}`;
    assert.match(said, ends);
    assert.ok(!said.includes(SECRET));
    assert.equal(posts, 1);
  });
}

it('of a hundred batches that nobody collected one post tells, once; of a few there is one each', async (t) => {
  const hook = await startHook(t);
  process.env.ROWMILL_TEST_HOOK = hook.url;
  t.after(() => delete process.env.ROWMILL_TEST_HOOK);
  for (const [batches, posts] of [
    [3, 3],
    [4, 1],
    [250, 1],
  ] as const) {
    const stateDirectory = mkdtempSync(join(tmpdir(), 'rowmill-'));
    t.after(() => rmSync(stateDirectory, { recursive: true, force: true }));
    mkdirSync(stateDirectory, { recursive: true });
    writeFileSync(join(stateDirectory, 'events.jsonl'), makeLog(batches));
    const before = hook.received.length;
    for (let night = 0; night < 2; night += 1) {
      const teller = createNoticeTeller({
        job: { name: 'nightly', notify: { urlEnv: 'ROWMILL_TEST_HOOK', form: 'json', on: ['uncollected'] } },
        ...{ stateDirectory, isSimulated: true, clock: () => new Date() },
        warn: (message) => assert.fail(message),
        commands: { continue: 'again', failures: '', report: '' },
      });
      teller.begin();
      await teller.end({ summary: { run: 'r1', exitCode: 0, verdict: 'done' } });
    }
    assert.equal(hook.received.length - before, posts, `${batches} batches`);
    assert.match(
      hook.received.at(-1)?.sentence ?? '',
      posts === 1 ? new RegExp(`; the same for ${batches - 1} more batches$`) : /paid for$/,
    );
    assert.equal(readdirSync(join(stateDirectory, 'notices')).length, batches, 'each is known by its own');
  }
});

function makeLog(batches: number): string {
  const at = '2026-11-01T00:00:00.000Z';
  const events = [
    { type: 'state-created', state: 's', format: 1, version: '0.2.0', origin: 'simulator', synced: 0 },
    { type: 'run-started', run: 'r1', job: 'nightly', simulated: true, lane: 'batch', estimateNanoUsd: 1, synced: 1 },
    ...Array.from({ length: batches }, (_, index) => ({ type: 'batch-extra', batchId: `batch_${index}`, shard: null })),
  ];
  return events.map((event, index) => makeEventLine({ seq: index + 1, at, ...event } as never)).join('');
}

it('chance alone tells of no shift, however few rows a night has', () => {
  const random = createRandom(5);
  const drawBell = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  /** Three labels, one refusal in a hundred, and costs of which one row in twenty has five times the middle one's. */
  const makeNight = (rows: number): ComparedRun => {
    const counts = [0, 0, 0];
    let [nanoUsd, refused] = [0, 0];
    for (let row = 0; row < rows; row += 1) {
      const label = random();
      const place = label < 0.6 ? 0 : label < 0.9 ? 1 : 2;
      counts[place] = (counts[place] ?? 0) + 1;
      nanoUsd += 1_000 * Math.exp(drawBell());
      refused += random() < 0.01 ? 1 : 0;
    }
    return {
      summary: {
        rows: { in: rows, skipped: 0, new: rows } as ComparedRun['summary']['rows'],
        causes: { refused },
        cost: { nanoUsd: Math.round(nanoUsd), unpricedAttempts: 0 } as ComparedRun['summary']['cost'],
      },
      fields: [
        {
          field: 'label',
          values: counts.map((newRows, place) => ({ value: 'abc'[place] as string, rows: newRows, newRows, previousRows: null })),
          previousRun: null,
        },
      ],
    };
  };
  for (const rows of [5, 20, 50, 100, 300]) {
    const nights = Array.from({ length: 500 }, () => makeNight(rows));
    const alarms = nights.flatMap((night, index) => findShifts(night, nights.slice(Math.max(0, index - 5), index)));
    assert.ok(alarms.length <= 5, `${rows} rows: ${alarms.map(({ what }) => what).join('; ')}`);
  }
});

it('records of what was told stay as long as it can hold, however many there are', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'rowmill-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const records = openNoticeRecords(directory);
  const claimAll = (now: Date) =>
    Array.from({ length: 300 }, (_, index) => records.claim({ id: `uncollected ${index}`, event: 'uncollected', sentence: 'x' }, now));
  const now = new Date();
  const first = claimAll(now);
  assert.deepEqual([new Set(first), new Set(claimAll(now))], [new Set([0]), new Set([null])]);
  const later = new Date(now.getTime() + 61 * 86_400_000);
  assert.equal(records.claim({ id: 'done r9', event: 'done', sentence: 'x' }, later), 0);
  assert.ok(readdirSync(join(directory, 'notices')).length <= 200, 'old ones go');
});

const SAID = `Invalid content: ${CANARY_CELL}`;
const say = (status: number, code: string) => ({ status, body: { error: { message: SAID, code, type: 'invalid_request_error' } } });
/** What a provider says that quotes a row, on the night after a good one, and what is told of it. */
const QUOTES = [
  ['batch', { match: { method: 'POST', path: '/v1/batches' }, do: say(400, 'invalid_value') }, /refuses this job: invalid_value: 400/],
  [
    'live',
    { match: { method: 'POST', path: '/v1/chat/completions' }, do: say(401, 'invalid_api_key') },
    /refused the API key( in \S+)?: 401/,
  ],
  ['live', { match: { method: 'POST', path: '/v1/chat/completions' }, do: say(404, 'model_not_found') }, /not offer this model: 404/],
  ['live', { match: { method: 'POST', path: '/v1/chat/completions' }, do: say(429, 'insufficient_quota') }, /or quota left: 429/],
] as const;

for (const [mode, fault, says] of QUOTES) {
  it(`a night that the provider refuses is reported once a day, by its code: ${says.source}`, async (t) => {
    const hook = await startHook(t);
    process.env.ROWMILL_TEST_HOOK = hook.url;
    t.after(() => delete process.env.ROWMILL_TEST_HOOK);
    const world = await makeWorld(t, {});
    assert.equal((await world.run()).summary.exitCode, 0);
    await world.restart({ faults: [fault] });
    world.write('in.csv', `${world.read('in.csv')}r98,"one more"\n`);
    for (let again = 0; again < 2; again += 1) {
      const { summary } = await world.run({ overrides: { cwd: world.directory, input: null, out: null, mode } });
      assert.ok(summary.verdict.includes(CANARY_CELL), summary.verdict);
      const teller = createNoticeTeller({
        job: { name: 'nightly', notify: { urlEnv: 'ROWMILL_TEST_HOOK', form: 'json', on: ['stopped'] } },
        ...{ stateDirectory: world.stateDirectory, isSimulated: true, clock: world.clock },
        warn: (message) => assert.fail(message),
        commands: { continue: 'again', failures: '', report: '' },
      });
      await teller.end({ summary });
    }
    assert.equal(hook.received.length, 1);
    assert.match(hook.received[0]?.sentence ?? '', says);
    assert.ok(!JSON.stringify(hook.received).includes(CANARY_CELL));
    world.assertFaultsFired();
  });
}

it('a first run that is refused is reported without a state directory, unless it is a mistake in the command or the job', async (t) => {
  const hook = await startHook(t);
  process.env.ROWMILL_TEST_HOOK = hook.url;
  t.after(() => delete process.env.ROWMILL_TEST_HOOK);
  const folder = mkdtempSync(join(tmpdir(), 'rowmill-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const stateDirectory = join(folder, 'no-such-state');
  const refused = { run: 'r', exitCode: 4, verdict: 'there is no host api.example' };
  const ends = [
    { summary: refused },
    { error: new AppError('no API key', { code: 'no_key', exitCode: EXIT.refused }) },
    { summary: { ...refused, exitCode: 2 } },
    { error: new UsageError('no such column') },
    { error: new AppError('interrupted', { code: 'interrupted', exitCode: EXIT.interrupted }) },
  ];
  for (const end of ends) {
    const teller = createNoticeTeller({
      job: { name: 'nightly', notify: { urlEnv: 'ROWMILL_TEST_HOOK', form: 'json', on: ['stopped'] } },
      ...{ stateDirectory, isSimulated: false, clock: () => new Date() },
      warn: (message) => assert.fail(message),
      commands: { continue: 'again', failures: '', report: '' },
    });
    teller.begin();
    await teller.end(end);
  }
  assert.deepEqual(
    hook.received.map(({ sentence }) => sentence),
    ['there is no host api.example', 'no API key'].map((why) => `nightly: stopped before it came to a table: ${why}`),
  );
  assert.equal(existsSync(stateDirectory), false);
});

it('of the address what is secret is hidden, and not what commands name as well', () => {
  const notify = { urlEnv: 'HOOK', form: 'json', on: [] } as const;
  for (const url of [`https://api.example.com/${SECRET}-path`, `https://u:${SECRET}-pass@api.example.com/x`, `${SECRET}-text`]) {
    readNoticeAddress(notify, { HOOK: url }, false);
    const said = scrubSecrets(`rowmill run job.yaml --base-url https://api.example.com/v1 ${url}`);
    assert.match(said, /--base-url https:\/\/api\.example\.com\/v1 /);
    assert.ok(!said.includes(SECRET), said);
  }
});

it('figures of our own are told as they are', () => {
  const shards = 'stopped: 3 batch files in a row were refused whole: invalid_request';
  assert.equal(leaveOutSaid(`${shards}: ${SAID}; change the job, then run it again`), shards);
  for (const why of [
    'stop_if: 450 of 1,000 rows failed',
    'budget.usd_total, $500.00, is used up: $499.10 is spent',
    'refused: 412 rows are invalid',
  ])
    assert.equal(leaveOutSaid(why), why);
});

it('a job of a program tells as a job file does, and a receiver that fails takes nothing from it', async (t) => {
  const world = await makeWorld(t, {});
  const hook = await startHook(t);
  t.after(() => delete process.env.ROWMILL_TEST_HOOK);
  const warnings: string[] = [];
  const define = (budget: number) =>
    defineJob({
      name: 'told',
      directory: world.directory,
      input: { path: 'in.csv', columns: ['id', 'text'], id: 'id' },
      model: 'gpt-4o-mini',
      prompt: (row) => `Say: ${row.text}`,
      output: 'text',
      budget: { usd_total: budget },
      params: { max_output_tokens: 20 },
      write: { path: 'told.csv' },
      notify: { url_env: 'ROWMILL_TEST_HOOK', on: ['done', 'stopped'] },
    });
  const settings = { simulate: true, onWarning: (message: string) => void warnings.push(message) } as const;
  process.env.ROWMILL_TEST_HOOK = hook.url;
  assert.equal((await define(0.000001).run(settings)).summary.exitCode, 5);
  process.env.ROWMILL_TEST_HOOK = 'http://127.0.0.1:9/';
  assert.equal((await define(1).run(settings)).summary.exitCode, 0);
  assert.match(warnings.join('\n'), /notify: done could not be posted: it could not be reached \([\w ]+\); the next run tries again/);
  process.env.ROWMILL_TEST_HOOK = hook.url;
  // A function may say something else each time: every run of a program is one of its own.
  const runs = [await define(1).run(settings), await define(1).run(settings)].map(({ summary }) => summary.run);
  writeFileSync(join(world.directory, 'in.csv'), 'id,text\n1,"broken');
  for (let again = 0; again < 2; again += 1) await assert.rejects(define(1).run(settings), { exitCode: 2 });
  assert.deepEqual(
    hook.received.map(({ event, command, id }) => [event, command, event === 'done' ? id : null]),
    [['stopped', 'job.run()', null], ...runs.map((run) => ['done', null, `done ${run}`]), ['stopped', 'job.run()', null]],
  );
});
