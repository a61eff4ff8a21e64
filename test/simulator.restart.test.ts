import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { test } from 'node:test';
import { openBill } from '../src/simulator/bill.ts';
import type { SimulatorOptions } from '../src/simulator/options.ts';
import { type Simulator, startSimulator } from '../src/simulator/start.ts';
import { chatLines, createApi } from './helpers/simulator-api.ts';
import { wideTest } from './helpers/wide.ts';

const START = new URL('../src/simulator/start.js', import.meta.url).href;

async function withDirectory(run: (directory: string) => Promise<void>): Promise<void> {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'rowmill-'));
  try {
    await run(directory);
  } finally {
    fs.rmSync(directory, { recursive: true });
  }
}

/** Starts a simulator in a process of its own and returns it with its base URL. */
async function spawnSimulator(options: SimulatorOptions): Promise<{ readonly child: ChildProcess; readonly url: string }> {
  const program = `import { startSimulator } from ${JSON.stringify(START)};
    process.stdout.write((await startSimulator(${JSON.stringify(options)})).url);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [url] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
  return { child, url: url.toString() };
}

async function kill(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

test('reuses no id, even after a file was deleted and the server restarted', async () => {
  await withDirectory(async (stateDirectory) => {
    const ids: string[] = [];
    for (let start = 0; start < 2; start += 1) {
      const simulator = await startSimulator({ stateDirectory });
      const api = createApi(simulator);
      const { id } = (await api.upload('{}\n')).json;
      await api.request('DELETE', `/files/${id}`);
      ids.push(id);
      await simulator.close();
    }
    assert.equal(new Set(ids).size, 2);
  });
});

const ROWS = 2_000;

wideTest('a batch whose process is killed again and again ends with every row answered and billed exactly once', () =>
  withDirectory(async (stateDirectory) => {
    const faults = [
      { name: 'failing', match: { share: 0.1 }, do: { rowStatus: 500 } },
      { name: 'doubled', match: { share: 0.05 }, do: { line: 'duplicate_new_id' } },
    ];
    const options = { stateDirectory, faults, batchSeconds: 1.5 };
    let batchId: string | undefined;
    const killedAt: number[] = [];
    for (let kills = 0; kills < 4; kills += 1) {
      const { child, url } = await spawnSimulator(options);
      const { request, submit } = createApi({ url } as Simulator);
      batchId ??= await submit(chatLines(ROWS));
      const billed = () => fs.readFileSync(path.join(stateDirectory, 'bill.jsonl'), 'utf8').split('\n').length - 1;
      const before = billed();
      let status = 'validating';
      while (billed() === before && status !== 'completed') status = (await request('GET', `/batches/${batchId}`)).json.status;
      await kill(child);
      killedAt.push(billed());
    }
    assert.ok(
      (killedAt[0] ?? 0) > 0 && (killedAt[0] ?? 0) < ROWS && (killedAt.at(-1) ?? 0) > (killedAt[0] ?? 0),
      `killed after ${killedAt.join(', ')} bill lines`,
    );

    const simulator = await startSimulator(options);
    try {
      const api = createApi(simulator);
      const batch = await api.finish(batchId as string);
      assert.equal(batch.status, 'completed');
      assert.equal(batch.request_counts.completed + batch.request_counts.failed, ROWS);
      const output = await api.readLines(batch.output_file_id);
      const failed = await api.readLines(batch.error_file_id);
      assert.equal(new Set([...output, ...failed].map((line) => line.custom_id)).size, ROWS);
      assert.ok(failed.length > ROWS * 0.06 && failed.length < ROWS * 0.14);
      const billed = simulator.bill();
      assert.ok(output.length > new Set(output.map((line) => line.custom_id)).size, 'some rows were answered twice');
      assert.deepEqual(billed.map(({ customId }) => customId).sort(), output.map((line) => line.custom_id).sort());
      const usages = new Map(billed.map(({ customId, usage }) => [customId, usage]));
      for (const line of output) assert.deepEqual(line.response.body.usage, usages.get(line.custom_id));
      assert.equal(
        batch.usage.total_tokens,
        billed.reduce((sum, { usage }) => sum + Number(usage.total_tokens), 0),
      );
      const [failing, doubled] = simulator.faultsFired();
      assert.equal(failing?.fired, failed.length);
      assert.equal(doubled?.fired, output.length - new Set(output.map((line) => line.custom_id)).size);
    } finally {
      await simulator.close();
    }
  }),
);

test('files, batches, bill and counts of faults survive a restart', () =>
  withDirectory(async (stateDirectory) => {
    const options = {
      stateDirectory,
      virtualTime: true,
      now: () => 1_800_000_000_000,
      faults: [{ match: { path: '/v1/models', nth: 2 }, do: { status: 500 } }],
    };
    let simulator = await startSimulator(options);
    const first = createApi(simulator);
    const batch = await first.finish(await first.submit(chatLines(5)));
    const content = (await first.request('GET', `/files/${batch.output_file_id}/content`)).text;
    await first.request('GET', '/models');
    const bill = simulator.bill();
    await simulator.close();

    simulator = await startSimulator(options);
    try {
      const again = createApi(simulator);
      assert.deepEqual((await again.request('GET', `/batches/${batch.id}`)).json, batch);
      assert.equal((await again.request('GET', `/files/${batch.output_file_id}/content`)).text, content);
      assert.deepEqual(simulator.bill(), bill);
      assert.equal((await again.request('GET', '/models')).status, 500, 'the second request since the first start');
      const next = await again.submit(chatLines(1));
      assert.notEqual(next, batch.id);
      assert.deepEqual(
        (await again.request('GET', '/batches')).json.data.map(({ id }: { id: string }) => id),
        [next, batch.id],
      );
    } finally {
      await simulator.close();
    }
  }));

test('a batch that was being cancelled when its process ended executes nothing more', () =>
  withDirectory(async (stateDirectory) => {
    const options = { stateDirectory, virtualTime: true, now: () => 1_800_000_000_000, batchSeconds: 3_600 };
    let simulator = await startSimulator(options);
    const api = createApi(simulator);
    const id = await api.submit(chatLines(100));
    await simulator.advance(1_800_000);
    const billed = simulator.bill().length;
    assert.ok(billed > 0 && billed < 100);
    await simulator.close();
    const file = path.join(stateDirectory, 'batches', `${id}.json`);
    const record = JSON.parse(fs.readFileSync(file, 'utf8'));
    fs.writeFileSync(file, JSON.stringify({ ...record, wire: { ...record.wire, status: 'cancelling' } }));

    simulator = await startSimulator(options);
    try {
      const again = createApi(simulator);
      const batch = await again.finish(id);
      assert.equal(batch.status, 'cancelled');
      assert.equal((await again.readLines(batch.output_file_id)).length, billed);
      assert.equal(simulator.bill().length, billed);
    } finally {
      await simulator.close();
    }
  }));

test('a bill whose last line was torn by a kill is cut back to whole lines', () =>
  withDirectory(async (directory) => {
    const file = path.join(directory, 'bill.jsonl');
    fs.writeFileSync(file, '{"customId":"a"}\n{"custom');
    const bill = openBill(file);
    assert.deepEqual(bill.read(), [{ customId: 'a' }]);
    bill.close();
    assert.equal(fs.readFileSync(file, 'utf8'), '{"customId":"a"}\n');
  }));

test('a simulator without a directory leaves nothing behind, and still has its bill', () =>
  withDirectory(async (directory) => {
    const before = process.env.TMPDIR;
    process.env.TMPDIR = directory;
    try {
      const simulator = await startSimulator({ virtualTime: true });
      assert.equal(fs.readdirSync(directory).length, 1);
      const api = createApi(simulator);
      await api.finish(await api.submit(chatLines(3)));
      await simulator.close();
      assert.deepEqual(fs.readdirSync(directory), []);
      assert.equal(simulator.bill().length, 3);
    } finally {
      if (before === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = before;
    }
  }));
