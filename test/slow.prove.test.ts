import assert from 'node:assert/strict';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as net from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { openArena } from '../src/prove/arena.ts';
import type { Evidence } from '../src/prove/check/evidence.ts';
import { findViolations } from '../src/prove/check/find-violations.ts';
import { createStarter } from '../src/prove/starter.ts';
import { expectResult, type Reference, readReference } from '../src/prove/undisturbed.ts';
import { collect, createWorld } from './helpers/command-line.ts';
import { PROGRAM } from './helpers/program.ts';

/** What is true of a finished run, made untrue. The checker of a proof has to see each. */
const LIES: Readonly<Record<string, (evidence: Evidence) => Partial<Evidence>>> = {
  'a row is missing': ({ table }) => ({ table: { ...table, rows: table.rows.slice(1) } }),
  'two answers are exchanged': ({ table }) => ({ table: { ...table, rows: exchange(table.rows, 0, 1) } }),
  'a cell of the input is another': ({ table }) => ({ table: { ...table, rows: change(table.rows, 2, { text: 'x' }) } }),
  'a row failed that is answered': ({ table }) => ({ table: { ...table, rows: change(table.rows, 2, { _status: 'failed' }) } }),
  'a cost is a nano-dollar too high': ({ table }) => ({ table: { ...table, rows: change(table.rows, 2, { _cost_usd: '0.000008176' }) } }),
  'a billed call is kept nowhere': ({ lines }) => ({ lines: lines.slice(1) }),
  'a call was billed twice': ({ bill }) => ({ bill: [...bill, ...bill.slice(0, 1)] }),
  'a call was never billed': ({ bill }) => ({ bill: bill.slice(1) }),
  'a create reached the provider twice': ({ batches }) => ({ batches: [...batches, ...batches.slice(0, 1)] }),
  'a batch stands nowhere in the log': ({ events }) => ({ events: events.filter(({ type }) => type !== 'create-done') }),
  'the log lacks an event': ({ events }) => ({ events: events.filter(({ seq }) => seq !== 3) }),
  'the summary counts a row too few': ({ summary }) => ({ summary: { ...summary, rows: { ...summary.rows, in: 11 } } }),
  'the total is not what rows cost': ({ summary }) => ({ summary: { ...summary, cost: { ...summary.cost, nanoUsd: 1 } } }),
  'a temporary file is left': ({ files }) => ({ files: [...files, `${files[0]}.tmp-1`] }),
};

function change<T>(rows: readonly T[], index: number, cells: object): T[] {
  return rows.map((row, at) => (at === index ? { ...row, ...cells } : row));
}

function exchange<T extends object>(rows: readonly T[], one: number, other: number): T[] {
  const [a, b] = [rows[one], rows[other]] as [Record<string, unknown>, Record<string, unknown>];
  return change(change(rows, one, { summary: b.summary }), other, { summary: a.summary });
}

describe('what judges a proof', () => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'rowmill-'));
  const starter = createStarter(PROGRAM);
  let reference: Reference;

  before(async () => {
    reference = await readReference(starter, root);
  });
  after(async () => {
    await starter.close();
    fs.rmSync(root, { recursive: true });
  });

  for (const [what, lie] of Object.entries(LIES)) {
    test(`sees that ${what}`, () => {
      const { evidence } = reference.undisturbed.batch;
      const expected = expectResult(evidence.table, 0);
      assert.deepEqual([...findViolations(evidence, expected)], []);
      assert.notDeepEqual([...findViolations({ ...evidence, ...lie(evidence) }, expected)], []);
    });
  }

  test('a crash in a thread leaves what a SIGKILL leaves: the same files, and the same events', async () => {
    // Further on, what is said now and then comes in between.
    const at = reference.undisturbed.batch.operations.indexOf('rename place');
    const leave = async (how: 'thread' | 'process') => {
      const arena = await openArena(starter, { lane: 'batch', folder: path.join(root, how), faults: reference.rowFaults });
      try {
        const { exitCode } = await arena.live({ how, plan: { crash: { at, moment: 'after' } } }).ended;
        assert.equal(exitCode, null);
        const state = arena.places.state;
        const events = fs.readFileSync(path.join(state, 'events.jsonl'), 'utf8').trim().split('\n');
        return {
          files: fs
            .readdirSync(state)
            .map((name) => name.replace(/\.tmp-[a-z0-9]+-/, '.tmp-'))
            .toSorted(),
          events: events.map((line) => JSON.parse(line).type),
        };
      } finally {
        await arena.close();
      }
    };
    assert.deepEqual(await leave('thread'), await leave('process'));
  });
});

test('prove prints one object, and an unknown name ends with 2, listing the names and the likely one', async () => {
  const world = createWorld({});
  try {
    const { exitCode, stdout, stderr } = await world.spawn(['prove', '--only', 'destination', '--seconds', '1', '--json']);
    assert.equal(exitCode, 0, stdout + stderr);
    const proof = JSON.parse(stdout);
    const { name, attacks, fired, broken, repeat } = proof.promises[0];
    assert.deepEqual([proof.schema, name, broken, repeat], ['rowmill.prove/1', 'destination', 0, null]);
    assert.deepEqual([fired, proof.fired], [attacks, attacks]);
    const refused = await world.run(['prove', '--only', 'destinatoin']);
    assert.equal(refused.exitCode, 2);
    assert.match(refused.stderr, /no promise is called "destinatoin"\. Did you mean "destination"\? They are kill, crash/);
  } finally {
    world.dispose();
  }
});

test('an interrupted proof ends everything it started, leaves nothing, and does not say that every promise held', async () => {
  for (const [signal, exitCode] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    const world = createWorld({});
    try {
      const child = world.start(['prove', '--seconds', '600'], { TMPDIR: world.folder });
      const ended = collect(child);
      // The first that is told: attacks are under way.
      await once(child.stderr as NodeJS.ReadableStream, 'data');
      child.kill(signal);
      const { stdout, ...end } = await ended;
      assert.equal(end.exitCode, exitCode, stdout + end.stderr);
      assert.match(stdout, /\nStopped after \d+ s: only what the table shows is proved\n$/);
      assert.deepEqual(
        fs.readdirSync(world.folder).filter((name) => !name.startsWith('rowmill-compiled-')),
        [],
      );
    } finally {
      world.dispose();
    }
  }
});

test('a proof without a place to work, or with an invalid or non-empty Redis, ends with 2 and says what to do', async () => {
  const world = createWorld({});
  const hoarder = net.createServer((socket) => {
    socket.on('data', (text) => socket.write(`+OK\r\n+OK\r\n:${/^SELECT 3\r/m.test(String(text)) ? 7 : 0}\r\n`));
  });
  await once(hoarder.listen(0, '127.0.0.1'), 'listening');
  const { port } = hoarder.address() as net.AddressInfo;
  try {
    const nowhere = await world.spawn(['prove'], { TMPDIR: path.join(world.folder, 'missing') });
    assert.equal(nowhere.exitCode, 2);
    assert.match(nowhere.stderr, /cannot create a folder in .*missing \(ENOENT\); set TMPDIR to a writable folder/);
    for (const [url, says] of [
      ['nonsense', /--redis: give a URL without TLS, for example redis:/],
      ['rediss://127.0.0.1', /--redis: give a URL without TLS/],
      [`redis://:secret@127.0.0.1:${port}`, /--redis: 127\.0\.0\.1:\d+: database 3 holds 7 keys; .* so name a Redis where these are empty/],
      ['redis://127.0.0.1:1', /127\.0\.0\.1:1 does not answer: connect ECONNREFUSED/],
    ] as const) {
      const { exitCode, stderr } = await world.run(['prove', '--redis', url]);
      assert.equal(exitCode, 2, stderr);
      assert.match(stderr, says);
      assert.doesNotMatch(stderr, /secret/);
    }
  } finally {
    hoarder.close();
    world.dispose();
  }
});
