import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { AppError, EXIT } from '../src/core/errors.ts';
import type { Event } from '../src/core/event.ts';
import type { Job } from '../src/core/job.ts';
import { CAUSES, explainHold, type OutcomeStatus } from '../src/core/outcome.ts';
import { makeKey } from '../src/core/request.ts';
import type { RowCounts } from '../src/core/summary.ts';
import type { LedgerFold } from '../src/ledger/events/fold.ts';
import { createFold } from '../src/ledger/events/fold-events.ts';
import { isMisplaced, SHARD_TRANSITIONS } from '../src/ledger/events/shard-transitions.ts';
import { takeArrival } from '../src/ledger/index-rules.ts';
import { KeyIndex } from '../src/ledger/key-index.ts';
import type { Ledger } from '../src/ledger/ledger.ts';
import { KNOWN_STATUSES, TERMINAL_STATUSES } from '../src/openai/wire.ts';
import { decideVerdict } from '../src/output/verdict.ts';
import { createStepOf, type KeyStep } from '../src/run/open/next-step.ts';
import { readStop } from '../src/run/send/stop.ts';
import { projectRoot } from './helpers/project-root.ts';

const page = readFileSync(join(projectRoot, 'docs/states.md'), 'utf8');

/** The edges of the diagrams below a heading, as `from > to: label`; a label that lists several is several edges. */
function readEdges(heading: string, diagram = 0): string[] {
  const section = page.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
  const text = [...section.matchAll(/```mermaid\nstateDiagram-v2\n([\s\S]*?)```/g)][diagram]?.[1] ?? '';
  const edges = text
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((line) => {
      const [, from = '', to = '', label = ''] = /^ {2}(\S+) --> (\S+?)(?:: (.+))?$/.exec(line) ?? assert.fail(`no edge: ${line}`);
      const [, before = '', list = ''] = /^(run-started after )?(.*)$/.exec(label) ?? [];
      return list.split(', ').map((one) => makeEdge(from, to, before + one));
    });
  assert.ok(edges.length > 0, heading);
  assert.equal(new Set(edges).size, edges.length, `${heading}: an edge stands twice`);
  return edges.toSorted();
}

function makeEdge(from: string, to: string, label = ''): string {
  return `${from.replaceAll('-', '_')} > ${to.replaceAll('-', '_')}${label === '' ? '' : `: ${label}`}`;
}

function foldAll(events: readonly Event[]): LedgerFold {
  const { fold, apply } = createFold();
  for (const [position, event] of events.entries()) apply({ ...event, seq: position + 1, at: '2026-11-29T12:00:00.000Z' });
  return fold;
}

const shard = '000001';
const batchId = 'batch_1';
const collected = (status: string): Event => ({ type: 'batch-collected', batchId, status, missing: [], rejected: [], usage: null });
const EVENTS: Readonly<Record<keyof typeof SHARD_TRANSITIONS | 'batch-extra' | 'batch-lost' | 'batch-returned', Event>> = {
  'shard-written': { type: 'shard-written', shard, rows: 1, bytes: 1, tokens: 1, sha256: '', model: 'm', url: '/', customIds: [] },
  'upload-intent': { type: 'upload-intent', shard, filename: 'a.jsonl' },
  'upload-done': { type: 'upload-done', shard, fileId: 'file' },
  'create-intent': { type: 'create-intent', shard, attempt: 1, fileId: 'file', keyFingerprint: 'f' },
  'create-unknown': { type: 'create-unknown', shard, attempt: 1, why: 'reset' },
  'create-absent': { type: 'create-absent', shard, attempt: 1, looks: 1 },
  'create-refused': { type: 'create-refused', shard, attempt: 1, code: 'c', message: '' },
  'create-done': { type: 'create-done', shard, attempt: 1, batchId, how: 'response' },
  'batch-failed': collected('failed'),
  'batch-collected': collected('completed'),
  'shard-retired': { type: 'shard-retired', shard, why: 'cut again' },
  'batch-extra': { type: 'batch-extra', batchId, shard },
  'batch-lost': collected('lost'),
  'batch-returned': { type: 'batch-returned', batchId },
};

/** Goes wherever events lead, one state by the first way that leads there. @returns every edge, and one to the end from where nothing leads on */
function explore<Name extends string>(
  names: readonly Name[],
  { isPossible, stateOf }: { isPossible(name: Name, way: readonly Name[]): boolean; stateOf(way: readonly Name[]): string | null },
): string[] {
  const edges: string[] = [];
  const ways = new Map<string, readonly Name[]>([['[*]', []]]);
  for (const [state, way] of ways) {
    const next = names
      .filter((name) => isPossible(name, way))
      .flatMap((name) => ({ name, way: [...way, name], state: stateOf([...way, name]) ?? '[*]' }))
      .filter((step) => step.state !== '[*]');
    edges.push(...next.map((step) => makeEdge(state, step.state, step.name)));
    if (next.length === 0) edges.push(makeEdge(state, '[*]'));
    for (const step of next) if (!ways.has(step.state)) ways.set(step.state, step.way);
  }
  return edges.toSorted();
}

test('the diagram of a shard shows what the fold does with every event that may be written', () => {
  type Name = keyof typeof SHARD_TRANSITIONS;
  const foldNamed = (way: readonly Name[]) => foldAll(way.map((name) => EVENTS[name]));
  const edges = explore(Object.keys(SHARD_TRANSITIONS) as Name[], {
    isPossible(name, way) {
      const fold = foldNamed(way);
      return !isMisplaced(EVENTS[name], fold) && (!name.startsWith('batch-') || fold.batches.has(batchId));
    },
    stateOf: (way) => foldNamed(way).shards.get(shard)?.status ?? null,
  });
  assert.deepEqual(readEdges('A shard'), edges);
});

test('the diagram of a batch at the provider has the statuses of the code, and the same final ones', () => {
  const edges = readEdges('A batch').map((edge) => edge.split(' > ') as [string, string]);
  const states = new Set(edges.flat().filter((state) => state !== '[*]'));
  assert.deepEqual([...states].toSorted(), [...KNOWN_STATUSES].toSorted());
  const ends = edges.filter(([, to]) => to === '[*]').map(([from]) => from);
  assert.deepEqual(ends.toSorted(), [...TERMINAL_STATUSES].toSorted());
  for (const end of ends) assert.equal(edges.filter(([from]) => from === end).length, 1, `${end} is final`);
});

test('the diagram of a batch as we see it shows what the fold does with its events', () => {
  const before = (['shard-written', 'upload-intent', 'upload-done', 'create-intent'] as const).map((name) => EVENTS[name]);
  const findBatch = (way: readonly (keyof typeof EVENTS)[]) =>
    foldAll([...before, ...way.map((name) => EVENTS[name])]).batches.get(batchId);
  const stateOf = (way: readonly (keyof typeof EVENTS)[]) => {
    const batch = findBatch(way);
    if (batch === undefined) return null;
    if (batch.isCollected) return batch.status === 'lost' ? 'lost' : 'collected';
    return batch.isExtra ? 'extra' : batch.hasReturned ? 'returned' : 'awaited';
  };
  const edges = explore(['create-done', 'batch-extra', 'batch-collected', 'batch-lost', 'batch-returned'], {
    // The id of a batch that is created is new, what a batch is already changes nothing, and what is collected is collected once.
    isPossible(name, way) {
      if (name === 'create-done') return way.length === 0;
      const [from, to] = [stateOf(way), stateOf([...way, name])];
      return from !== to && !((from === 'lost' || from === 'collected') && (to === 'lost' || to === 'collected'));
    },
    stateOf,
  });
  assert.deepEqual(readEdges('A batch', 1), edges);
});

const OUTCOMES: readonly OutcomeStatus[] = ['ok', ...CAUSES];
const started = (run: string): Event => ({ type: 'run-started', run, job: 'j', simulated: false, estimateNanoUsd: null });

/** One key in an open run, under a policy; every step of its way is asked of the code. */
function openKey(onUnknown: Job['onUnknown'], cap: number | undefined) {
  const events: Event[] = [started('run-1')];
  const { fold, apply } = createFold();
  apply({ ...(events[0] as Event), seq: 1, at: '' });
  const keys = new KeyIndex();
  const id = keys.add(makeKey('/', '{}'));
  const job = { model: 'gpt-4o-mini', retry: { attempts: 2 }, onUnknown, params: { max_output_tokens: cap } } as unknown as Job;
  const ledger = { keys, fold, explainHold: (key: number) => explainHold(keys.doubts(key)) } as unknown as Ledger;
  const step = (purpose: 'working' | 'reading') => createStepOf(ledger, job, purpose)(id);
  return {
    keys,
    step: (): KeyStep => step('working'),
    look: (): KeyStep => step('reading'),
    tell: (event: Event) => apply({ ...event, seq: 2, at: '' }),
    send: () => keys.setShard(id, 1),
    giveBack: () => keys.setShard(id, 0),
    reopen: () => keys.setReopened(id, true),
    arrive: (outcome: OutcomeStatus) =>
      takeArrival(
        keys,
        id,
        { outcome, reask: 0, attemptEpoch: fold.attemptEpoch, shard: 1, location: null, isRepeat: false, isUnreadable: false },
        fold,
      ),
  };
}

test('the diagram of a row shows what the policy does with every outcome', () => {
  const edges = new Set<string>(['done > [*]', 'failed > [*]']);
  const addStep = (key: ReturnType<typeof openKey>, label: string, step: () => void) => {
    const from = key.step();
    step();
    edges.add(makeEdge(from, key.step(), label));
  };
  edges.add(makeEdge('[*]', openKey('retry', undefined).step()));
  for (const onUnknown of ['retry', 'hold'] as const) {
    for (const cap of [undefined, 100]) {
      for (const outcome of OUTCOMES) {
        for (let rounds = 1; rounds <= 4; rounds += 1) {
          const key = openKey(onUnknown, cap);
          for (let round = 1; round <= rounds && ['new', 'again', 'reask'].includes(key.step()); round += 1) {
            addStep(key, 'sent', key.send);
            addStep(key, outcome, () => key.arrive(outcome));
          }
          if (rounds === 1 && outcome === 'ok') addStep(key, 'generation-started', () => key.keys.forgetAll(() => false));
          if (key.step() !== 'failed') continue;
          const again = [
            ['retry-opened', key.reopen],
            ['generation-started', () => key.keys.forgetAll(() => false)],
            ['late ok', () => key.arrive('ok')],
          ] as const;
          const [label, step] = again[rounds % again.length] as (typeof again)[number];
          addStep(key, label, step);
        }
      }
    }
  }
  // A run that is over leaves what failed; the next one takes it up where the cause was a passing one.
  for (const outcome of OUTCOMES) {
    const key = openKey('retry', undefined);
    for (let round = 1; round <= 4; round += 1) key.arrive(outcome);
    key.tell({ type: 'run-ended', run: 'run-1', exitCode: 3 });
    const from = key.look();
    key.tell(started('run-2'));
    if (key.step() !== from) edges.add(makeEdge(from, key.step(), `run-started after ${outcome}`));
  }
  const givenBack = openKey('retry', undefined);
  givenBack.send();
  addStep(givenBack, 'given-back', givenBack.giveBack);
  assert.deepEqual(readEdges('A row'), [...edges].toSorted());
});

const rows = (change: Partial<RowCounts>): RowCounts => {
  return { in: 2, ok: 2, failed: 0, skipped: 0, pending: 0, new: 2, reused: 0, duplicate: 0, ...change };
};

test('the diagram of a run matches its events and exit codes', () => {
  const edges = new Set(['stopped > open: run again', 'ended > [*]']);
  const stateOf = (events: readonly Event[]) => {
    const { currentRun, runs } = foldAll(events);
    return currentRun !== null ? 'open' : runs.at(-1)?.endedAt != null ? 'ended' : '[*]';
  };
  edges.add(makeEdge(stateOf([]), stateOf([started('run')]), 'run-started'));
  const failIf = { failedRows: { type: 'count', over: 0 }, skippedRows: { type: 'count', over: 0 } } as const;
  for (const counts of [rows({}), rows({ ok: 1, failed: 1 }), rows({ ok: 1, skipped: 1 })]) {
    const { exitCode } = decideVerdict(counts, failIf, null);
    edges.add(makeEdge('open', stateOf([started('run'), { type: 'run-ended', run: 'run', exitCode }]), String(exitCode)));
  }
  for (const exitCode of [EXIT.usage, EXIT.refused])
    edges.add(makeEdge('open', stateOf([started('run'), { type: 'run-ended', run: 'run', exitCode }]), String(exitCode)));
  for (const exitCode of Object.values(EXIT)) {
    const stop = readStop(new AppError('stop', { code: 'c', exitCode }), false);
    if (stop !== null) edges.add(makeEdge('open', 'stopped', String(stop.exitCode)));
  }
  assert.deepEqual(readEdges('A run'), [...edges].toSorted());
});
