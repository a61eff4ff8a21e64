import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { awaitFile } from '../src/batch/await-file.ts';
import { createShardBreaker } from '../src/batch/breaker.ts';
import { cancelBatch } from '../src/batch/cancel-batch.ts';
import type { BatchContext } from '../src/batch/context.ts';
import { createBatch } from '../src/batch/create.ts';
import { createCutSize } from '../src/batch/cut-size.ts';
import { download } from '../src/batch/download/download.ts';
import { createRejectionHandler } from '../src/batch/handle-rejection.ts';
import { pollBatch } from '../src/batch/poll.ts';
import { createAdmission } from '../src/batch/queue/admission.ts';
import type { Rejection } from '../src/batch/rejection.ts';
import { sweepBatches } from '../src/batch/sweep.ts';
import { uploadShard } from '../src/batch/upload.ts';
import { createWaitTeller } from '../src/core/waiting/wait-teller.ts';
import type { ShardState } from '../src/ledger/events/fold.ts';
import { ApiError } from '../src/openai/api-error.ts';
import type { Provider } from '../src/openai/provider.ts';
import { watchProvider } from '../src/run/send/watched-provider.ts';
import { type LaneWorld, makeLaneWorld, makeRequest } from './helpers/lane-world.ts';
import { createManualTimers } from './helpers/manual-timers.ts';

const SILENCE_MS = 5_000;
/** A wait that goes on is told again after a minute, when the pause that is being made has ended. */
const AGAIN_MS = 60_000 + 4_000;
const MAX_SLEEPS = 60;
const SINCE = 'since \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d UTC';

let world: LaneWorld;
let nowMs = Date.parse('2026-11-29T12:00:00Z');
let texts = 0;

before(async () => {
  world = await makeLaneWorld({
    time: {
      clock: () => new Date(nowMs),
      async sleep(milliseconds) {
        nowMs += milliseconds;
      },
    },
  });
});
after(() => world.close());

const lost = new ApiError('no connection (ECONNREFUSED)', { kind: 'not-sent', code: 'ECONNREFUSED' });
const missing = new ApiError('404 no such batch', { kind: 'permanent', code: 'http_404', status: 404 });
const full = new ApiError('429 slow down', { kind: 'wait', code: 'rate', status: 429, retryAfterMs: 30_000 });
const silent = new ApiError('the answer was lost (ECONNRESET)', { kind: 'unknown', code: 'ECONNRESET' });

/** A shard that has come so far by the true provider. */
async function makeShard(stage: 'written' | 'uploaded' | 'submitted'): Promise<ShardState> {
  texts += 1;
  const id = await world.writeShard([makeRequest(`text ${texts}`)]);
  const shardNow = () => world.ledger.fold.shards.get(id) as ShardState;
  if (stage !== 'written') await uploadShard(world.context, shardNow());
  if (stage === 'submitted') await createBatch(world.context, shardNow(), new AbortController().signal);
  return shardNow();
}

interface Case {
  readonly what: string;
  readonly stage: 'written' | 'uploaded' | 'submitted';
  readonly change: Partial<Record<keyof Provider, () => Promise<unknown>>>;
  readonly wait: (context: BatchContext, shard: ShardState) => Promise<unknown>;
  readonly told: RegExp;
}

const fail = (error: ApiError) => async () => {
  throw error;
};
const never = new AbortController().signal;
const poll = (context: BatchContext, { batchId }: ShardState) =>
  pollBatch(context, { batchId: batchId as string, keyFingerprint: context.provider.keyFingerprint, onPoll: () => {} });
const done = { id: 'batch_x', status: 'completed', counts: { total: 1, completed: 1, failed: 0 }, outputFileId: null, errorFileId: null };

/** The same refusal, again and again. */
async function reject(context: BatchContext, shard: ShardState, rejection: Rejection): Promise<void> {
  const handle = createRejectionHandler(context, {
    shard,
    isResumed: false,
    admission: createAdmission(null),
    requestAdmission: createAdmission(null),
    cutSize: createCutSize(null),
    breaker: createShardBreaker(),
    inUploadTurn: (work) => work(),
    recalled: never,
    onPhase: () => {},
    onPoll: () => {},
  });
  for (let times = 0; times < 4; times += 1) await handle(rejection);
}

const cases: readonly Case[] = [
  {
    what: 'an upload that does not reach the provider',
    stage: 'written',
    change: { uploadFile: fail(lost) },
    wait: uploadShard,
    told: /^waiting since .*: no connection \(ECONNREFUSED\); the upload of batch file \d+ is tried again for ten minutes$/,
  },
  {
    what: 'a provider that asks to wait with an upload',
    stage: 'written',
    change: { uploadFile: fail(full) },
    wait: uploadShard,
    told: /429 slow down; the upload of batch file \d+ is tried again until the provider takes it$/,
  },
  {
    what: 'a file that is processed',
    stage: 'uploaded',
    change: { retrieveFile: async () => ({ id: 'f', bytes: 1, filename: 'f', createdSeconds: 0, status: 'pending' }) },
    wait: awaitFile,
    told: /batch file \d+ is still pending at the provider; its batch is created when it is processed$/,
  },
  {
    what: 'a file that cannot be asked about',
    stage: 'uploaded',
    change: { retrieveFile: fail(lost) },
    wait: awaitFile,
    told: /batch file \d+ cannot be asked about/,
  },
  {
    what: 'a creation that does not reach the provider',
    stage: 'uploaded',
    change: { createBatch: fail(lost) },
    wait: (context, shard) => createBatch(context, shard, never),
    told: /the creation of the batch of file \d+ is tried again for ten minutes$/,
  },
  {
    what: 'a creation that was not answered',
    stage: 'uploaded',
    change: { createBatch: fail(silent) },
    wait: (context, shard) => createBatch(context, shard, never),
    told: /the creation of the batch of file \d+ was not answered; it is looked for in the provider's list 3 times/,
  },
  {
    what: 'a poll that does not reach the provider',
    stage: 'submitted',
    change: { retrieveBatch: fail(lost) },
    wait: poll,
    told: /^waiting for batch \S+ since .*: no connection \(ECONNREFUSED\); still trying$/,
  },
  {
    what: 'a batch that is not found',
    stage: 'submitted',
    change: { retrieveBatch: fail(missing), listBatches: fail(lost) },
    wait: poll,
    told: /^waiting for batch \S+ since .*: 404 no such batch/,
  },
  {
    what: 'a batch that names no files yet',
    stage: 'submitted',
    change: { retrieveBatch: async () => done },
    wait: poll,
    told: /it is completed and names no files yet/,
  },
  {
    what: 'an end of a batch that does not reach the provider',
    stage: 'submitted',
    change: { cancelBatch: fail(lost) },
    wait: (context, { batchId }) => cancelBatch(context, batchId as string),
    told: /the end of batch \S+ is tried again/,
  },
  {
    what: 'a list that cannot be read',
    stage: 'uploaded',
    change: { listBatches: fail(lost) },
    wait: (context) => sweepBatches(context, new Date(nowMs).toISOString()),
    told: /the look at the provider's list of batches is tried again/,
  },
  {
    what: 'a queue that is full',
    stage: 'uploaded',
    change: {},
    wait: (context, shard) => reject(context, shard, { type: 'queue-full', limitTokens: null, limitRequests: null }),
    told: /the provider's queue is full; batch file \d+ is sent again when it has room$/,
  },
  {
    what: 'a file that the provider does not find',
    stage: 'uploaded',
    change: {},
    wait: (context, shard) => reject(context, shard, { type: 'file-not-found', message: 'Cannot find file' }),
    told: /the provider does not find batch file \d+ yet \(Cannot find file\)$/,
  },
  {
    what: 'a search for a lost batch that does not reach the provider',
    stage: 'uploaded',
    change: { createBatch: fail(silent), listBatches: fail(lost) },
    wait: (context, shard) => createBatch(context, shard, never),
    told: /was not answered; it is looked for|the search for the batch of file \d+ is tried again/,
  },
  {
    what: 'a download that does not reach the provider',
    stage: 'submitted',
    change: { retrieveFile: fail(lost) },
    wait: (context, { id }) => download(context, { fileId: 'f', name: 'batch_x.output', asked: { shard: id, rows: 1 } }),
    told: /the download of batch_x.output is tried again/,
  },
];

for (const { what, stage, change, wait, told } of cases) {
  test(`${what}: the wait is reported within five seconds, and again every minute`, async () => {
    const shard = await makeShard(stage);
    const messages: { readonly atMs: number; readonly message: string }[] = [];
    const warn = (message: string) => void messages.push({ atMs: nowMs, message });
    const fromMs = nowMs;
    let sleeps = 0;
    let longestMs = 0;
    const enough = new Error('enough');
    const context: BatchContext = {
      ...world.context,
      provider: { ...world.context.provider, ...change } as Provider,
      waits: createWaitTeller({ warn, clock: () => new Date(nowMs), monotonicMs: () => nowMs }),
      warn: () => {},
      async sleep(milliseconds) {
        sleeps += 1;
        if (sleeps > MAX_SLEEPS) throw enough;
        longestMs = Math.max(longestMs, milliseconds);
        nowMs += milliseconds;
      },
    };
    await wait(context, shard).catch(() => {});
    assert.ok(nowMs - fromMs > SILENCE_MS, 'it waited');
    assert.match(messages[0]?.message ?? '', told);
    assert.match(messages[0]?.message ?? '', new RegExp(SINCE));
    const instants = [fromMs, ...messages.map(({ atMs }) => atMs), nowMs];
    assert.ok((instants[1] as number) - fromMs <= SILENCE_MS, `${(instants[1] as number) - fromMs} ms of silence`);
    for (const [index, atMs] of instants.entries())
      assert.ok(
        index === 0 || atMs - (instants[index - 1] as number) <= AGAIN_MS + longestMs,
        `silent for ${atMs - (instants[index - 1] as number)} ms`,
      );
  });
}

test('a call without an answer is reported after five seconds, and every minute until it has one', async () => {
  const timers = createManualTimers();
  const messages: string[] = [];
  let clockMs = 0;
  const waits = createWaitTeller({
    warn: (message) => void messages.push(message),
    clock: () => new Date(nowMs + clockMs),
    monotonicMs: () => clockMs,
  });
  let answer = (_: readonly []) => {};
  const listModels = () => new Promise<readonly []>((resolve) => (answer = resolve));
  const provider = watchProvider(
    { ...world.context.provider, listModels },
    { waits, monotonicMs: () => clockMs, startTimer: timers.startTimer },
  );
  const asked = provider.listModels(never);
  assert.deepEqual([timers.armedMs(), provider.pending?.what], [[5_000], 'the list of models']);
  clockMs += 5_000;
  timers.fire();
  assert.match(messages.join(), new RegExp(`^127.0.0.1:\\d+ has not answered ${SINCE}: the list of models$`));
  assert.deepEqual(waits.current, messages);
  clockMs += 60_000;
  timers.fire();
  assert.equal(messages.length, 2);
  answer([]);
  assert.deepEqual([await asked, timers.armedMs(), provider.pending, waits.current], [[], [], null, []]);
});
