import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type * as http from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { collect, createWorld } from './helpers/command-line.ts';
import { type FrontRequest, type Intercept, sendEndlessly, startFront } from './helpers/front.ts';
import { makeJobText, makeRows, makeWorld, renderCsv } from './helpers/run-world.ts';

/** What a run may take, whatever it is answered. */
const MAX_MEGABYTES = 400;
const ROWS = 40;
const MB = 2 ** 20;

interface Kind {
  readonly name: string;
  readonly mode: 'batch' | 'live';
  readonly job?: string;
  /** Which requests are answered so, the first `times` of them. */
  readonly path: RegExp;
  readonly times?: number;
  readonly answer: (response: http.ServerResponse, request: FrontRequest) => void;
}

const content = /^\/v1\/files\/[^/]+\/content$/;
const call = /^\/v1\/chat\/completions$/;
const head = (response: http.ServerResponse, status = 200, type = 'application/json', headers = {}) =>
  response.writeHead(status, { 'content-type': type, ...headers });
const bytes = (count: number, fill = 'x') => Buffer.alloc(count, fill);

/** A beginning, and after it the same piece again and again. */
const endlessly =
  (piece: Buffer, { status = 200, type = 'application/json', begin = '', pieces = 1024 } = {}): Kind['answer'] =>
  (response) => {
    head(response, status, type);
    response.write(begin);
    sendEndlessly(response, piece, pieces);
  };

/** Each line of the true file with so much more in it. */
function widen(response: http.ServerResponse, { askBehind }: FrontRequest, change: (line: string) => readonly (string | Buffer)[]): void {
  void (async () => {
    head(response, 200, 'application/octet-stream');
    for (const line of (await (await askBehind()).text()).trim().split('\n')) {
      for (const part of change(line)) if (!response.write(part)) await Promise.race([once(response, 'drain'), once(response, 'close')]);
      if (response.destroyed) return;
    }
    response.end();
  })();
}

/** Members of one gzip stream, each a thousand times as long unpacked. */
const bomb = Buffer.concat(Array<Buffer>(512).fill(gzipSync(bytes(MB, ' '))));
const kinds: readonly Kind[] = [
  {
    name: 'a result file of one line of a gigabyte',
    mode: 'batch',
    path: content,
    answer: endlessly(bytes(MB), { type: 'application/octet-stream' }),
  },
  {
    name: 'a result file of a gigabyte of short lines',
    mode: 'batch',
    path: content,
    answer: endlessly(Buffer.from('{"custom_id":"x"}\n'.repeat(60_000)), { type: 'application/octet-stream' }),
  },
  {
    name: 'a result file of a gigabyte for rows without a cap',
    mode: 'batch',
    job: 'params: { temperature: 0 }',
    path: content,
    times: 1,
    answer: endlessly(bytes(MB), { type: 'application/octet-stream' }),
  },
  {
    name: 'a message of 48 MB for each row of a batch',
    mode: 'batch',
    path: content,
    times: 2,
    answer: (response, request) =>
      widen(response, request, (line) => {
        const { id, custom_id } = JSON.parse(line);
        const begin = `${JSON.stringify({ id, custom_id, response: null }).slice(0, -1)},"error":{"message":"`;
        return [begin, ...Array(48).fill(bytes(MB)), '"}}\n'];
      }),
  },
  {
    name: 'a message of 3 MB for each row of a batch without a cap',
    mode: 'batch',
    job: 'params: { temperature: 0 }',
    path: content,
    times: 1,
    answer: (response, request) =>
      widen(response, request, (line) => {
        const { id, custom_id } = JSON.parse(line);
        const begin = `${JSON.stringify({ id, custom_id, response: null }).slice(0, -1)},"error":{"code":"invalid_request","message":"`;
        return [begin, ...Array(3).fill(bytes(MB)), '"}}\n'];
      }),
  },
  {
    name: 'a result file that unpacks to a thousand times its size',
    mode: 'batch',
    path: content,
    answer: (response) => head(response, 200, 'application/octet-stream', { 'content-encoding': 'gzip' }).end(bomb),
  },
  {
    name: 'batches of brackets without an end',
    mode: 'batch',
    path: /^\/v1\/batches\/[^/]+$/,
    times: 4,
    answer: endlessly(bytes(MB, '[')),
  },
  {
    name: 'live answers without an end',
    mode: 'live',
    path: call,
    times: ROWS,
    answer: endlessly(bytes(MB, ' ')),
  },
  {
    name: 'live answers that unpack to a thousand times their size',
    mode: 'live',
    path: call,
    times: ROWS,
    answer: (response) => head(response, 200, 'application/json', { 'content-encoding': 'gzip' }).end(bomb),
  },
  {
    name: 'live answers of 3 MB, all at once',
    mode: 'live',
    job: 'params: { temperature: 0 }',
    path: call,
    times: ROWS,
    answer: endlessly(bytes(MB), { begin: '{"choices":[{"finish_reason":"stop","message":{"content":"', pieces: 3 }),
  },
  {
    name: 'live answers of 3 MB, whole, forty at once',
    mode: 'live',
    job: 'params: { temperature: 0 }',
    path: call,
    times: ROWS,
    answer(response) {
      head(response);
      response.write('{"choices":[{"finish_reason":"stop","message":{"content":"{\\"label\\":\\"good\\",\\"summary\\":\\"');
      for (let megabytes = 0; megabytes < 3; megabytes += 1) response.write(bytes(MB));
      response.end('\\"}"}}],"usage":{"prompt_tokens":20,"completion_tokens":20,"total_tokens":40}}');
    },
  },
  {
    name: 'live answers of 3 MB of empty lists, all at once',
    mode: 'live',
    job: 'params: { temperature: 0 }',
    path: call,
    times: ROWS,
    answer: endlessly(Buffer.from('[],'.repeat(MB / 3)), { begin: '{"choices":[', pieces: 3 }),
  },
  {
    name: 'refusals without an end',
    mode: 'live',
    path: call,
    answer: endlessly(bytes(MB), { status: 400, begin: '{"error":{"message":"' }),
  },
  {
    name: 'refusals of 48 MB, well formed',
    mode: 'live',
    path: call,
    answer(response) {
      head(response, 400);
      response.write('{"error":{"code":"bad","message":"');
      for (let megabytes = 0; megabytes < 48; megabytes += 1) response.write(bytes(MB));
      response.end('"}}');
    },
  },
];

for (const kind of kinds) {
  const skip = existsSync('/proc/self/status') ? false : 'the peak of a process is read from /proc';
  test(`a run stays small: ${kind.name}`, { timeout: 300_000, skip }, async (t) => {
    const provider = await makeWorld(t, {});
    let fired = 0;
    const intercept: Intercept = (request, response) => {
      if (!kind.path.test(request.path) || fired >= (kind.times ?? Number.POSITIVE_INFINITY)) return false;
      fired += 1;
      kind.answer(response, request);
      return true;
    };
    const baseUrl = await startFront(t, provider.simulator.url, intercept);
    const world = createWorld({
      'in.csv': renderCsv(makeRows(ROWS)),
      'job.yaml': makeJobText(`retry: { attempts: 2 }\nlimits: { concurrency: ${ROWS} }\n${kind.job ?? ''}`).replace(
        'mode: batch',
        `mode: ${kind.mode}`,
      ),
    });
    t.after(world.dispose);
    const measured = join(world.folder, 'rss');
    const preload = join(world.folder, 'measure.mjs');
    writeFileSync(
      preload,
      // Not getrusage: there the peak of whoever started the process counts too.
      `import fs from 'node:fs'; process.on('exit', () => fs.writeFileSync(${JSON.stringify(measured)}, fs.readFileSync('/proc/self/status')));`,
    );
    const child = world.start(['run', 'job.yaml', '--yes', '--base-url', baseUrl], {
      OPENAI_API_KEY: 'sk-canary-bounds',
      NODE_OPTIONS: `--import=${pathToFileURL(preload).href}`,
    });
    t.after(() => child.kill('SIGKILL'));
    const { exitCode, stderr } = await collect(child);
    const megabytes = Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(measured, 'utf8'))?.[1]) / 1024;
    t.diagnostic(`${kind.name}: ${megabytes.toFixed(0)} MB, exit ${exitCode}`);
    assert.ok(fired > 0, 'the fault fired');
    assert.ok([0, 3, 5].includes(exitCode ?? -1), `exit ${exitCode}: ${stderr.slice(0, 2_000)}`);
    assert.ok(megabytes < MAX_MEGABYTES, `${megabytes} MB`);
    assert.ok(stderr.length < 50_000, `${stderr.length} characters of stderr`);
  });
}
