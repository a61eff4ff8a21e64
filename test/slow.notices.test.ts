import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createPort } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Status } from '../src/inspect/status.ts';
import { type Simulator, startSimulator } from '../src/simulator/start.ts';
import { CANARY_KEY, createWorld, REVIEW_JOB, REVIEWS, type World } from './helpers/command-line.ts';

interface Received {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** A receiver that answers as it is told. Its path is the secret that may stand nowhere. */
async function startHook(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    received.push({ path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks).toString() });
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = () =>
    new Promise<void>((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  closers.push(close);
  return { url: `http://127.0.0.1:${port}/hook-${SECRET}`, received };
}

const closers: (() => Promise<void>)[] = [];
const SECRET = 'canary-hook-9Kq2';
const ok = (_request: IncomingMessage, response: ServerResponse) => void response.end('ok');
const withNotify = (notify: string) => `${REVIEW_JOB}notify: ${notify}\n`;
const ALL = '{ url_env: HOOK, on: [done, failed, stopped, uncollected, shifted] }';

describe('notify', () => {
  let simulator: Simulator;
  let world: World;
  const worlds: World[] = [];
  const open = (job: string, rows = REVIEWS) => {
    world = createWorld({ 'reviews.csv': rows, 'job.yaml': job });
    worlds.push(world);
    return world;
  };
  before(async () => {
    simulator = await startSimulator({});
  });
  after(async () => {
    await simulator.close();
    for (const close of closers) await close();
    for (const one of worlds) {
      const leaked = listTexts(one.folder).filter(({ text }) => text.includes(SECRET) || text.includes(CANARY_KEY));
      assert.deepEqual(
        leaked.map(({ file }) => file),
        [],
        'neither the address nor the key stands in any file',
      );
      one.dispose();
    }
  });
  const env = (url: string) => ({ HOOK: url, OPENAI_API_KEY: CANARY_KEY });
  const run = (url: string, ...flags: string[]) => world.run(['run', 'job.yaml', '--base-url', simulator.url, '--yes', ...flags], env(url));

  it('reports once that a run is done, in each form, however often it is repeated', async () => {
    for (const form of ['json', 'slack', 'ntfy']) {
      const hook = await startHook(ok);
      open(withNotify(ALL.replace('{', `{ form: ${form},`)));
      for (let again = 0; again < 2; again += 1) assert.equal((await run(hook.url)).exitCode, 0);
      assert.equal(hook.received.length, 1, form);
      const [{ body = '', headers = {} } = {}] = hook.received;
      assert.match(body, /reviews: done, simulated, 5 of 6 rows ok, \$0\.0/);
      assert.ok(!body.includes('I like it') && !body.includes(CANARY_KEY), 'no row text, no key');
      if (form === 'ntfy') assert.equal(headers.title, 'rowmill: reviews done');
      else assert.doesNotThrow(() => JSON.parse(body) as unknown);
    }
  });

  it('reports why a run stopped and what continues, once per reason; every command says the same', async () => {
    const hook = await startHook(ok);
    open(withNotify(`${ALL}\nbudget: { usd_total: 0.000001 }`));
    for (let night = 0; night < 3; night += 1) assert.equal((await run(hook.url)).exitCode, 5);
    assert.equal(hook.received.length, 1);
    const told = JSON.parse(hook.received[0]?.body ?? '') as Record<string, string>;
    assert.deepEqual([told.schema, told.event, told.job], ['rowmill.notice/1', 'stopped', 'reviews']);
    assert.match(
      told.sentence ?? '',
      /^reviews: stopped, (?:simulated, )?0 of 6 rows ok, \$0\. Why: budget\.usd_total, .* is too small for the next request, which can cost \$[\d.]+; it never resets/,
    );
    assert.match(told.command ?? '', /run job\.yaml --base-url/);
    const { notices } = await world.json<Status & { notices: { sentence: string }[] }>(['status', 'job.yaml']);
    assert.equal(notices[0]?.sentence, told.sentence);
    for (const command of ['status', 'report', 'failures', 'runs']) {
      const { stderr } = await world.run([command, 'job.yaml'], env(hook.url));
      assert.ok(stderr.includes(told.sentence ?? ''), command);
    }
    assert.equal(hook.received.length, 1, 'who looks sends nothing');
    writeFileSync(join(world.folder, 'job.yaml'), withNotify(ALL));
    assert.equal((await run(hook.url)).exitCode, 0);
    assert.deepEqual(
      hook.received.map(({ body }) => (JSON.parse(body) as { event: string }).event),
      ['stopped', 'done'],
    );
  });

  it('reports failed rows, and a refused table', async () => {
    const hook = await startHook(ok);
    const events = () => hook.received.map(({ body }) => JSON.parse(body) as { event: string; sentence: string });
    open(withNotify(ALL).replace('skipped_rows: 1', 'skipped_rows: 0'));
    assert.equal((await run(hook.url)).exitCode, 3);
    assert.match(
      events()[0]?.sentence ?? '',
      /^reviews: 5 of 6 rows answered; 1 empty, never sent \(exit 3\), simulated, \$[\d.]+; skipped_rows: "> 17%" under fail_if in the job/,
    );
    writeFileSync(join(world.folder, 'reviews.csv'), 'id,text\n1,"canary-cell\n');
    for (let again = 0; again < 2; again += 1) assert.equal((await run(hook.url)).exitCode, 2);
    assert.deepEqual(
      events().map(({ event }) => event),
      ['failed', 'stopped'],
    );
    assert.ok(!hook.received[1]?.body.includes('canary-cell'), 'what is wrong with a table is not told by its text');
    assert.ok((await world.run(['runs', 'job.yaml'])).stderr.includes(events()[1]?.sentence ?? '?'));
  });

  it('a receiver that is dead, slow, refuses or redirects fails no run and delays none for more than seconds', async () => {
    const elsewhere = await startHook(ok);
    const closed = await new Promise<string>((resolve) => {
      const port = createPort();
      port.listen(0, '127.0.0.1', () => {
        const url = `http://127.0.0.1:${(port.address() as AddressInfo).port}/${SECRET}`;
        port.close(() => resolve(url));
      });
    });
    const silent = await startHook(() => {});
    const broken = await startHook((request) => request.socket.destroy());
    const angry = await startHook((_request, response) => void response.writeHead(500).end(SECRET));
    const moved = await startHook((_request, response) => void response.writeHead(307, { location: elsewhere.url }).end());
    const cases = [
      { url: closed, says: /could not be reached \(ECONNREFUSED\); the next run tries again/, retries: true },
      { url: broken.url, says: /could not be reached \(\w+\)/, retries: true },
      { url: angry.url, says: /it answered with status 500; the next run tries again/, retries: true },
      { url: moved.url, says: /status 307, a redirect, which is not followed/, retries: true },
      { url: silent.url, says: /it did not answer in time/, retries: false },
    ];
    for (const { url, says, retries } of cases) {
      open(withNotify(ALL));
      const startedMs = performance.now();
      const { exitCode, stderr } = await run(url);
      assert.deepEqual([exitCode, says.test(stderr), stderr.includes(SECRET)], [0, true, false], stderr);
      assert.ok(performance.now() - startedMs < 60_000, url);
      const hook = await startHook(ok);
      assert.equal((await run(hook.url)).exitCode, 0);
      assert.equal(hook.received.length, retries ? 1 : 0, `${says}: what was not taken is told by the next run, what may have been is not`);
    }
    assert.equal(elsewhere.received.length, 0);
  });

  it('a missing or unsuitable address is reported, and nothing is posted', async () => {
    for (const [url, says] of [
      ['', /HOOK is not set/],
      ['hooks.example', /HOOK does not hold a URL/],
      [`http://hooks.example/${SECRET}`, /must begin with https/],
      [`https://me:pass@hooks.example/${SECRET}`, /contains a password/],
    ] as const) {
      open(withNotify(ALL));
      const { exitCode, stderr } = await run(url);
      assert.deepEqual([exitCode, says.test(stderr), stderr.includes(SECRET)], [0, true, false], stderr);
    }
    assert.match((await world.run(['doctor', 'job.yaml', '--simulate'], env(''))).stdout, /warning +notify +notify: .*HOOK is not set/);
    const hook = await startHook(ok);
    assert.match(
      (await world.run(['doctor', 'job.yaml', '--simulate'], env(hook.url))).stdout,
      /ok +notify +HOOK has an address; it is notified of done, failed/,
    );
    open(withNotify(ALL));
    assert.equal((await world.run(['run', 'job.yaml', '--simulate'], env(hook.url))).exitCode, 0);
    const away = await world.run(['run', 'job.yaml', '--simulate', '--fresh'], env('https://hooks.example/'));
    assert.match(away.stderr, /with --simulate nothing leaves this machine/);
    assert.equal(hook.received.length, 1, 'a receiver on this machine is told');
  });

  it('the job file has to name a variable and known events; mistakes get a suggestion', async () => {
    for (const [notify, says] of [
      ['{ url_env: HOOK, on: [stoped] }', /job\.yaml:9:\d+ {2}notify\.on\[0\]: must be done, failed.*Did you mean "stopped"/],
      ['{ url_env: "https://hooks.example/x" }', /notify\.url_env: must be the name of an environment variable that holds the address/],
      ['{ url_env: HOOK, form: teams }', /notify\.form: must be json, slack, ntfy/],
      ['{ form: slack }', /notify\.url_env: missing/],
      ['{ url_env: HOOK, onn: [done] }', /notify\.onn: unknown key/],
    ] as const) {
      open(withNotify(notify));
      const { exitCode, stderr } = await world.run(['plan', 'job.yaml']);
      assert.deepEqual([exitCode, says.test(stderr), stderr.includes('hooks.example')], [2, true, false], stderr);
    }
  });
});

function listTexts(folder: string): readonly { readonly file: string; readonly text: string }[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => ({ file, text: readFileSync(file, 'latin1') }));
}
