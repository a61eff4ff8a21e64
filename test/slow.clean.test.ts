import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import fc from 'fast-check';
import { verifyState } from '../src/inspect/verify/verify.ts';
import { waitSilently } from '../src/ledger/disk/holder-watch.ts';
import { takeLock } from '../src/ledger/disk/lock.ts';
import { openUpkeep } from '../src/ledger/upkeep/open-upkeep.ts';
import { type CleanOptions, clean, isClean, type Litters, lookForLitter } from '../src/upkeep/clean/clean.ts';
import { createWorld, REVIEW_JOB, REVIEWS } from './helpers/command-line.ts';
import { makeReadOptionsOf, makeTargetOf } from './helpers/read-options.ts';
import { CANARY_KEY, makeRows, makeWorld, renderCsv, type World } from './helpers/run-world.ts';
import { runsOf } from './helpers/wide.ts';

const DAY_MS = 86_400_000;

function optionsOf(world: World, change: Partial<CleanOptions> = {}): CleanOptions {
  return { ...makeReadOptionsOf(world), olderMs: 30 * DAY_MS, isRemote: false, hasAnswers: false, ...change };
}

/** Shows what would go, then removes it. */
async function cleanAll(world: World, change: Partial<CleanOptions>): Promise<Litters> {
  const options = optionsOf(world, change);
  const shown = await lookForLitter(options);
  await clean(shown, options, { ...makeTargetOf(world), origin: shown.origin });
  return shown;
}

interface FileObject {
  readonly id: string;
  readonly filename: string;
}

async function listRemote(world: World): Promise<readonly FileObject[]> {
  const response = await fetch(`${world.simulator.url}/files?limit=1000`, { headers: { authorization: `Bearer ${CANARY_KEY}` } });
  return ((await response.json()) as { data: FileObject[] }).data;
}

async function upload(world: World, filename: string): Promise<string> {
  const body = new FormData();
  body.set('purpose', 'batch');
  body.set('file', new File(['{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{}}\n'], filename));
  const response = await fetch(`${world.simulator.url}/files`, { method: 'POST', headers: { authorization: 'Bearer other' }, body });
  return ((await response.json()) as FileObject).id;
}

async function verifyOk(world: World): Promise<void> {
  const { ok, checks } = await verifyState(makeReadOptionsOf(world));
  assert.ok(ok, JSON.stringify(checks.filter(({ status }) => status === 'failed')));
}

/** Three nights, each with two rows more. */
async function runNights(t: TestContext): Promise<World> {
  const world = await makeWorld(t, { rows: makeRows(4) });
  for (const rows of [4, 6, 8]) {
    world.write('in.csv', renderCsv(makeRows(rows)));
    assert.equal((await world.run()).summary.exitCode, 0);
  }
  return world;
}

describe('clean', () => {
  it('removes files of collected batches at the provider, and nothing that is not in the ledger, whatever else is there', async (t) => {
    const world = await runNights(t);
    const ours = (await listRemote(world)).map(({ id }) => id);
    assert.equal(ours.length, 6);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.string({ maxLength: 4 })), { maxLength: 4 }),
        async (others) => {
          // The names of our own files, with and without something behind them.
          const names = (await listRemote(world)).map(({ filename }) => filename);
          for (const [which, more] of others)
            await upload(world, `${names[which] ?? 'rowmill.state.000001.jsonl'}${more.replaceAll(/[^\w]/g, '')}`);
          const before = (await listRemote(world)).map(({ id }) => id);
          const shown = await cleanAll(world, { isRemote: true });
          const after = (await listRemote(world)).map(({ id }) => id);
          assert.deepEqual(
            before.filter((id) => !after.includes(id)),
            (shown.files ?? []).filter((id) => before.includes(id)).toSorted((a, b) => before.indexOf(a) - before.indexOf(b)),
          );
          assert.ok((shown.files ?? []).every((id) => ours.includes(id)));
        },
      ),
      { numRuns: runsOf(10, 3) },
    );
    assert.deepEqual(
      (await listRemote(world)).filter(({ id }) => ours.includes(id)),
      [],
    );
    assert.ok(isClean(await lookForLitter(optionsOf(world, { isRemote: true }))));
    await verifyOk(world);
    const { requests } = await world.run();
    assert.deepEqual(requests, {});
  });

  it('keeps the files of a batch that is not collected, and of a create that may have happened', async (t) => {
    const world = await makeWorld(t, { batchSeconds: 3600 });
    const { summary } = await world.run({ waitMs: 0 });
    assert.equal(summary.exitCode, 7);
    const shown = await lookForLitter(optionsOf(world, { isRemote: true }));
    assert.deepEqual(shown.files, []);
    await world.restart({ batchSeconds: 0 });
    await world.runToEnd();
    assert.equal((await lookForLitter(optionsOf(world, { isRemote: true }))).files?.length, 2);
  });

  it('removes nothing at the provider through a copy of a state, and cleans locally anyway', async (t) => {
    const origin = '127.0.0.1-7';
    const world = await makeWorld(t, {});
    assert.equal((await world.run({ origin })).summary.exitCode, 0);
    const copy = fs.mkdtempSync(path.join(os.tmpdir(), 'rowmill-'));
    t.after(() => fs.rmSync(copy, { recursive: true, force: true }));
    fs.cpSync(path.join(world.directory, '.rowmill', `proof@${origin}`), path.join(copy, `proof@${origin}`), { recursive: true });
    fs.writeFileSync(path.join(copy, `proof@${origin}`, '.rowmill-left.tmp'), '');
    const before = (await listRemote(world)).length;
    assert.ok(before > 0);
    const change = { origin, stateRoot: copy };
    await assert.rejects(cleanAll(world, { ...change, isRemote: true }), /--remote: .* is a copy of the state directory .*--adopt-copy/);
    await cleanAll(world, change);
    assert.equal((await listRemote(world)).length, before);
    assert.deepEqual((await cleanAll(world, { origin, isRemote: true })).files?.length, before);
    assert.equal((await listRemote(world)).length, 0);
  });

  it('counts a missing file as removed, and names those the provider refuses to remove', async (t) => {
    const world = await runNights(t);
    const options = optionsOf(world, { isRemote: true });
    const shown = await lookForLitter(options);
    const [gone = '', kept = ''] = shown.files ?? [];
    await world.restart({ faults: [{ match: { method: 'DELETE', path: `/v1/files/${kept}` }, do: { status: 409 } }] });
    await fetch(`${world.simulator.url}/files/${gone}`, { method: 'DELETE', headers: { authorization: 'Bearer other' } });
    const { files } = await clean(shown, options, makeTargetOf(world));
    world.assertFaultsFired();
    assert.deepEqual([files?.gone, files?.removed.length, files?.failed.map(({ id }) => id)], [[gone], 4, [kept]]);
    assert.deepEqual((await lookForLitter(options)).files, [kept]);
  });

  it('removes old runs except the last, and leftovers of killed runs; verify, report, costs and reuse stay the same', async (t) => {
    const world = await runNights(t);
    const runs = path.join(world.stateDirectory, 'runs');
    const paid = (await world.run()).summary.ledger.nanoUsd;
    const [first = ''] = fs.readdirSync(runs);
    const litter = [
      '.tmp-id-events.jsonl',
      'requests/000001.jsonl',
      'responses/.tmp-x-download',
      `runs/${first}/.tmp-y-rows`,
      'table.rows',
    ];
    for (const name of litter) fs.writeFileSync(path.join(world.stateDirectory, name), 'left');
    const shown = await cleanAll(world, { olderMs: 0 });
    assert.equal(shown.runs.length, 2);
    assert.deepEqual(shown.leftovers.map(({ path: file }) => path.relative(world.stateDirectory, file)).toSorted(), litter.toSorted());
    assert.equal(fs.readdirSync(runs).length, 1);
    for (const name of litter) assert.ok(!fs.existsSync(path.join(world.stateDirectory, name)), name);
    await verifyOk(world);
    const { summary, requests } = await world.run();
    assert.deepEqual([summary.exitCode, summary.ledger.nanoUsd, requests], [0, paid, {}]);
    assert.ok(isClean(await lookForLitter(optionsOf(world, { olderMs: 0 }))));
  });

  it('removes answers only on request, keeps their cost in every sum, and sends everything again', async (t) => {
    const world = await runNights(t);
    const before = (await world.run()).summary.ledger;
    const kept = await cleanAll(world, { olderMs: 0, isRemote: true });
    assert.equal(kept.answers, null);
    const shown = await cleanAll(world, { hasAnswers: true });
    assert.deepEqual([shown.answers?.files, shown.answers?.lines, shown.answers?.paidNanoUsd], [3, 8, before.nanoUsd]);
    assert.ok((shown.answers?.againNanoUsd ?? 0) > 0);
    const texts = fs
      .readdirSync(world.stateDirectory, { recursive: true, encoding: 'utf8' })
      .filter((name) => !name.startsWith('provider'));
    for (const name of texts.filter((one) => fs.statSync(path.join(world.stateDirectory, one)).isFile()))
      assert.doesNotMatch(fs.readFileSync(path.join(world.stateDirectory, name), 'latin1'), /Note number|summary/, name);
    const { summary, requests } = await world.run();
    assert.equal(summary.exitCode, 0);
    assert.equal(summary.rows.new, 8);
    assert.equal(requests['POST /v1/batches'], 1);
    assert.equal(summary.ledger.attempts, before.attempts + 8);
    assert.equal(summary.ledger.nanoUsd, before.nanoUsd + summary.cost.nanoUsd);
    await verifyOk(world);
  });

  it('removes answers of live calls, recorded in parts, and keeps their cost exactly', async (t) => {
    const world = await makeWorld(t, { rows: makeRows(30), job: 'limits: { concurrency: 4 }' });
    const live = { overrides: { cwd: world.directory, mode: 'live' } } as const;
    // Each night goes on in a file of its own; the second has to ask some rows twice.
    assert.equal((await world.run(live)).summary.exitCode, 0);
    await world.restart({ faults: [{ match: { every: 3, lane: 'live' }, do: { answer: 'length' } }] });
    world.write('in.csv', renderCsv(makeRows(50)));
    const { summary: second } = await world.run(live);
    await world.restart({});
    assert.ok(second.ledger.attempts > 50);
    const shown = await cleanAll(world, { hasAnswers: true });
    assert.deepEqual([shown.answers?.files, shown.answers?.paidNanoUsd], [2, second.ledger.nanoUsd]);
    await verifyOk(world);
    const billed = fs.readdirSync(path.join(world.stateDirectory, 'responses')).filter((name) => name.endsWith('.billed'));
    const bytes = billed.reduce((sum, name) => sum + fs.statSync(path.join(world.stateDirectory, 'responses', name)).size, 0);
    t.diagnostic(`${Math.round(bytes / (shown.answers?.lines ?? 1))} bytes are kept of an answer`);
    assert.ok(bytes < 500 * (shown.answers?.lines ?? 0));
    const { summary } = await world.run(live);
    assert.deepEqual([summary.exitCode, summary.rows.new], [0, 50]);
    assert.deepEqual(
      [summary.ledger.nanoUsd, summary.ledger.attempts],
      [second.ledger.nanoUsd + summary.cost.nanoUsd, second.ledger.attempts + summary.attempts.total],
    );
    await verifyOk(world);
  });

  it('survives an end at any step of removing answers', async (t) => {
    const world = await runNights(t);
    const paid = (await world.run()).summary.ledger.nanoUsd;
    const responses = path.join(world.stateDirectory, 'responses');
    const saved = fs.readdirSync(responses).map((name) => [name, fs.readFileSync(path.join(responses, name))] as const);
    await cleanAll(world, { hasAnswers: true });
    // As if it had ended before the files went: they are what was recorded, and the next clean removes them.
    for (const [name, bytes] of saved) fs.writeFileSync(path.join(responses, name), bytes);
    const left = await lookForLitter(optionsOf(world));
    assert.equal(left.leftovers.length, 3);
    await verifyOk(world);
    await cleanAll(world, {});
    await verifyOk(world);
    const { summary } = await world.run();
    assert.equal(summary.ledger.nanoUsd, paid + summary.cost.nanoUsd);
  });

  it('takes the lock, and removes nothing while a run is active or open', async (t) => {
    const world = await makeWorld(t, { batchSeconds: 3600 });
    await world.run({ waitMs: 0 });
    await assert.rejects(lookForLitter(optionsOf(world, { hasAnswers: true })), /--answers: run \S+ has not ended: finish it first/);
    const shown = await lookForLitter(optionsOf(world));
    const lock = await takeLock({
      ...world.effects,
      directory: world.stateDirectory,
      job: 'proof',
      identity: world.effects.processIdentity,
      waiting: waitSilently(new AbortController().signal),
    });
    try {
      await assert.rejects(lookForLitter(optionsOf(world)), { exitCode: 6 });
      await assert.rejects(clean(shown, optionsOf(world), makeTargetOf(world)), { exitCode: 6 });
    } finally {
      lock.release();
    }
  });

  it('appends no event that is out of place', async (t) => {
    const world = await runNights(t);
    const upkeep = await openUpkeep(
      { ...world.effects, directory: world.stateDirectory, job: 'proof', signal: new AbortController().signal },
      () => {},
    );
    assert.throws(
      () => upkeep.append({ type: 'upload-done', shard: '000001', fileId: 'x' }),
      /is not allowed in the current state of its shard/,
    );
    await upkeep.close();
  });
});

describe('clean on the command line', () => {
  it('only shows and exits with 2 if nobody can confirm, removes with --yes, and then has nothing to do', async () => {
    const world = createWorld({ 'reviews.csv': REVIEWS, 'job.yaml': REVIEW_JOB });
    try {
      assert.equal((await world.run(['run', 'job.yaml', '--simulate'])).exitCode, 0);
      const shown = await world.run(['clean', '--remote', '--older', '0d', '--simulate']);
      assert.equal(shown.exitCode, 2);
      assert.match(shown.stdout, /at the provider +2 files: file-\w+, file-\w+\n/);
      assert.match(shown.stderr, /Nothing was removed: add --yes to remove this/);
      const json = await world.run(['clean', 'job.yaml', '--remote', '--yes', '--json']);
      assert.equal(json.exitCode, 0);
      const told = JSON.parse(json.stdout) as { schema: string; isDone: boolean; jobs: { removed: { files: { removed: string[] } } }[] };
      assert.deepEqual([told.schema, told.isDone, told.jobs[0]?.removed.files.removed.length], ['rowmill.clean/1', true, 2]);
      assert.equal((await world.run(['clean', '--remote'])).exitCode, 0);
      const answers = await world.run(['clean', 'job.yaml', '--answers']);
      assert.deepEqual(
        [answers.exitCode, /answers? in \d files?, .* was paid for them, sending the rows again costs about \$/.test(answers.stdout)],
        [2, true],
      );
      // Another job, whose log is damaged, hides nothing of this one.
      fs.mkdirSync(path.join(world.folder, 'damaged', '.rowmill', 'reviews'), { recursive: true });
      fs.writeFileSync(path.join(world.folder, 'damaged', 'job.yaml'), REVIEW_JOB);
      fs.writeFileSync(path.join(world.folder, 'damaged', '.rowmill', 'reviews', 'events.jsonl'), 'nothing\n');
      const both = await world.run(['clean', '--older', '0d', '--yes']);
      assert.equal(both.exitCode, 1);
      assert.match(both.stderr, /^damaged\/job\.yaml: .*events\.jsonl:1: /m);
      assert.equal(both.stdout, 'Nothing to clean\n');
      const all = await world.run(['clean', '--answers']);
      assert.deepEqual([all.exitCode, all.stderr.split('\n')[0]], [2, '--answers needs one job: name its file']);
    } finally {
      world.dispose();
    }
  });
});
