import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import type { ImportOptions } from '../src/upkeep/import/import.ts';
import { createWorld, REVIEW_JOB, REVIEWS } from './helpers/command-line.ts';
import { content, importInto, JOB, makeBatch, makeLine, makeStage, verifyOk } from './helpers/import-world.ts';
import { countPosts, makeRows, makeWorld, renderCsv } from './helpers/run-world.ts';

describe('import', () => {
  it('imports a batch made with the plain client: nothing is sent, the table is written, the cost is booked', async (t) => {
    const { world, rows, batch } = await makeStage(t);
    world.write('in.csv', renderCsv(rows.slice(0, 8)));
    const before = { ...world.simulator.requests() };
    const { batches } = await importInto(world, { batchIds: [batch.id] });
    const [taken] = batches;
    assert.deepEqual([taken?.result, taken?.requests, taken?.matched, taken?.foreign], ['imported', 10, 8, 2]);
    const bill = world.simulator.bill();
    assert.equal(bill.length, 10);
    assert.ok((taken?.nanoUsd ?? 0) > 0 && (taken?.foreignNanoUsd ?? 0) > 0);
    assert.equal(world.simulator.requests()['POST /v1/batches'], before['POST /v1/batches']);
    await verifyOk(world);
    const { summary, requests } = await world.run();
    assert.deepEqual([summary.exitCode, summary.rows.ok, summary.rows.reused, summary.cost.nanoUsd], [0, 8, 8, 0]);
    assert.equal(countPosts(requests), 0);
    assert.equal(summary.ledger.nanoUsd, taken?.nanoUsd);
    const table = world.read('out.csv').trim().split('\n');
    assert.equal(table.length, 9);
    for (const [index, [id]] of rows.slice(0, 8).entries()) assert.match(table[index + 1] ?? '', new RegExp(`^${id},`));
    await verifyOk(world);
    assert.deepEqual((await world.run()).requests, {});
  });

  it('changes nothing when repeated, by id or with the same files', async (t) => {
    const { world, batch } = await makeStage(t);
    const [first] = (await importInto(world, { batchIds: [batch.id] })).batches;
    const [second] = (await importInto(world, { batchIds: [batch.id] })).batches;
    world.write('in.jsonl', await content(world, batch.input_file_id));
    world.write('out.jsonl', await content(world, batch.output_file_id));
    const [third] = (await importInto(world, { inputFile: 'in.jsonl', outputFile: 'out.jsonl' })).batches;
    assert.deepEqual([first?.result, second?.result, third?.result], ['imported', 'known', 'known']);
    const { summary } = await world.run();
    assert.deepEqual([summary.rows.reused, summary.rows.new, summary.ledger.nanoUsd], [8, 2, (first?.nanoUsd ?? 0) + summary.cost.nanoUsd]);
    await verifyOk(world);
  });

  it('imports downloaded files without contacting the provider, errors too', async (t) => {
    const { world, batch, rows } = await makeStage(t);
    world.write('asked.jsonl', await content(world, batch.input_file_id));
    world.write('said.jsonl', await content(world, batch.output_file_id));
    const failure = { id: 'batch_req_e', custom_id: `mine-${rows[0]?.[0]}`, response: { status_code: 500, body: {} }, error: null };
    world.write('failed.jsonl', `${JSON.stringify(failure)}\nnot JSON\n`);
    const connect = () => Promise.reject(new Error('nobody is to be asked'));
    const target = { origin: 'simulator', baseUrl: null, connect };
    const files = { inputFile: 'asked.jsonl', outputFile: 'said.jsonl', errorFile: 'failed.jsonl', target };
    const [taken] = (await importInto(world, files)).batches;
    assert.deepEqual([taken?.matched, taken?.foreign, taken?.malformed], [9, 2, 1]);
    assert.match(taken?.id ?? '', /^file_[0-9a-f]{24}$/);
    await verifyOk(world);
    assert.equal((await world.run()).summary.rows.reused, 8);
  });

  it('refuses, in one sentence, what cannot be imported, and leaves no state behind', async (t) => {
    const { world, batch, lines } = await makeStage(t);
    const refuse = (change: Partial<ImportOptions>, expected: RegExp) =>
      assert.rejects(importInto(world, change), (error: Error & { exitCode?: number }) => {
        assert.match(error.message, expected);
        assert.equal(error.exitCode, 2);
        return true;
      });
    await refuse({ outputFile: 'said.jsonl' }, /said\.jsonl: no such file/);
    world.write('said.jsonl', await content(world, batch.output_file_id));
    await refuse({ outputFile: 'said.jsonl' }, /the input file of the batch is needed, because .*--input-file FILE/);
    await refuse({ outputFile: 'said.jsonl', inputFile: 'none.jsonl' }, /none\.jsonl: no such file/);
    world.write('empty.jsonl', '\n');
    await refuse({ outputFile: 'said.jsonl', inputFile: 'empty.jsonl' }, /empty\.jsonl: is empty/);
    await refuse({ outputFile: 'said.jsonl', inputFile: 'in.csv' }, /in\.csv:1: is not a request of a batch/);
    world.write('hot.jsonl', makeLine('mine-r1', 'x', { temperature: 1 }));
    await refuse(
      { outputFile: 'said.jsonl', inputFile: 'hot.jsonl' },
      /no row of the table makes a request .* differs in .*temperature \(not in the job\)/,
    );
    await fetch(`${world.simulator.url}/files/${batch.input_file_id}`, { method: 'DELETE', headers: { authorization: 'Bearer x' } });
    await refuse({ batchIds: [batch.id] }, /the input file of batch_\w+ is gone at the provider.*--input-file FILE/);
    assert.deepEqual(fs.readdirSync(world.stateDirectory), ['provider']);
    world.write('asked.jsonl', lines.join('\n'));
    const [taken] = (await importInto(world, { batchIds: [batch.id], inputFile: 'asked.jsonl' })).batches;
    assert.deepEqual([taken?.matched, taken?.foreign], [8, 2]);
    const { summary } = await world.run();
    await refuse({ batchIds: [summary.batches[0]?.id ?? ''] }, /is a batch of this job's own: rowmill run collects it/);
  });

  it('completes an import that was killed', async (t) => {
    const { world, batch } = await makeStage(t);
    world.write('asked.jsonl', await content(world, batch.input_file_id));
    world.write('said.jsonl', await content(world, batch.output_file_id));
    const files = { inputFile: 'asked.jsonl', outputFile: 'said.jsonl' };
    const [whole] = (await importInto(world, files)).batches;
    // As it was between the announcement and the file: the log ends with the one, and the other is not there.
    const log = path.join(world.stateDirectory, 'events.jsonl');
    const lines = fs.readFileSync(log, 'utf8').split('\n');
    const at = lines.findIndex((line) => line.includes('"batch-imported"'));
    assert.ok(at > 0);
    fs.writeFileSync(log, `${lines.slice(0, at + 1).join('\n')}\n`);
    fs.rmSync(path.join(world.stateDirectory, 'settled.jsonl'));
    for (const name of fs.readdirSync(path.join(world.stateDirectory, 'responses')))
      fs.rmSync(path.join(world.stateDirectory, 'responses', name));
    const [again] = (await importInto(world, files)).batches;
    assert.deepEqual([again?.result, again?.id, again?.matched], ['imported', whole?.id, 8]);
    const { summary } = await world.run();
    assert.deepEqual([summary.rows.reused, summary.ledger.nanoUsd], [8, (whole?.nanoUsd ?? 0) + summary.cost.nanoUsd]);
    await verifyOk(world);
  });

  it('gives each of several identical rows its own answer with dedupe off', async (t) => {
    const [row = ['r1', 'x']] = makeRows(1);
    const rows = ['a', 'b', 'c'].map((id): [string, string] => [id, row[1]]);
    const world = await makeWorld(t, { rows, job: `${JOB}\ndedupe: false` });
    const batch = await makeBatch(
      world,
      rows.map(([id, text]) => makeLine(id, text)),
    );
    await importInto(world, { batchIds: [batch.id] });
    const { summary, requests } = await world.run();
    assert.deepEqual([summary.rows.reused, countPosts(requests)], [3, 0]);
  });
});

describe('import on the command line', () => {
  it('says what it needs, and accepts files with the simulator too', async () => {
    const world = createWorld({ 'reviews.csv': REVIEWS, 'job.yaml': REVIEW_JOB });
    try {
      const none = await world.run(['import', 'job.yaml', '--simulate']);
      assert.deepEqual(
        [none.exitCode, none.stderr.split('\n')[0]],
        [2, 'which batches? Name their ids, or a downloaded file: --output-file FILE'],
      );
      const two = await world.run(['import', 'job.yaml', 'batch_a', 'batch_b', '--output-file', 'o.jsonl']);
      assert.deepEqual([two.exitCode, /are those of one batch/.test(two.stderr)], [2, true]);
      const gone = await world.run(['import', 'job.yaml', 'batch_none', '--simulate', '--json']);
      assert.notEqual(gone.exitCode, 0);
      assert.equal((JSON.parse(gone.stdout) as { schema: string }).schema, 'rowmill.error/1');
    } finally {
      world.dispose();
    }
  });
});
