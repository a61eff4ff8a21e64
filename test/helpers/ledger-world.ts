import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import type { CheckAnswer } from '../../src/core/outcome.ts';
import { makeKey } from '../../src/core/request.ts';
import type { SettledRecord } from '../../src/core/settled.ts';
import { readOwnIdentity } from '../../src/ledger/disk/process-identity.ts';
import type { Ledger, LedgerOptions, ResponseFile } from '../../src/ledger/ledger.ts';
import { openLedger } from '../../src/ledger/open-ledger.ts';

/** A state directory of its own, and the ways tests change it. */
export interface LedgerWorld {
  readonly directory: string;
  /** Every record the openings so far have shown, oldest first. */
  readonly visited: { readonly record: SettledRecord; readonly file: ResponseFile }[];
  open(change?: Partial<LedgerOptions>): Promise<Ledger>;
  read(change?: Partial<LedgerOptions>): Promise<Ledger>;
}

/** Answers are right when they are not the word "wrong". */
export const checkAnswer: CheckAnswer = (text) => (text === 'wrong' ? { ok: false, message: 'it is wrong' } : { ok: true, value: text });

let ids = 0;

export function makeLedgerWorld(t: TestContext): LedgerWorld {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'rowmill-'));
  const opened: Ledger[] = [];
  t.after(async () => {
    for (const ledger of opened) await ledger.close().catch(() => undefined);
    fs.rmSync(root, { recursive: true, force: true });
  });
  const directory = path.join(root, 'state');
  const visited: LedgerWorld['visited'] = [];
  async function open(change: Partial<LedgerOptions> = {}): Promise<Ledger> {
    const ledger = await openLedger(makeLedgerOptions(directory, { visit: (record, file) => visited.push({ record, file }), ...change }));
    const close = ledger.close;
    let isClosed = false;
    const once: Ledger = {
      ...ledger,
      async close() {
        if (isClosed) return;
        isClosed = true;
        await close();
      },
    };
    opened.push(once);
    return once;
  }
  return { directory, visited, open, read: (change) => open({ access: 'read', ...change }) };
}

export function makeLedgerOptions(directory: string, change: Partial<LedgerOptions> = {}): LedgerOptions {
  return {
    directory,
    origin: 'default',
    job: 'labels',
    access: 'write',
    checkAnswer,
    rulesHash: 'rules-1',
    visit: () => undefined,
    clock: () => new Date('2026-11-21T12:00:00.000Z'),
    randomId: () => `id${process.pid}x${++ids}`,
    processIdentity: readOwnIdentity(),
    signal: new AbortController().signal,
    ...change,
  };
}

/** Keys `k(0)`, `k(1)`, … of requests that differ. */
export function k(number: number): string {
  return makeKey('/v1/chat/completions', `{"row":${number}}`);
}

/** A line of an output file: an answer that was executed, 10 tokens in, 2 out unless said otherwise. */
export function makeAnswerLine(customId: string, content: string, change: { id?: string; output?: number; finish?: string } = {}): string {
  const body = {
    id: 'chatcmpl-1',
    created: 1795219200,
    model: 'gpt-4o-mini-2024-07-18',
    choices: [{ index: 0, message: { role: 'assistant', content, refusal: null }, finish_reason: change.finish ?? 'stop' }],
    usage: { prompt_tokens: 10, completion_tokens: change.output ?? 2, total_tokens: 12 },
    service_tier: 'default',
  };
  const id = change.id ?? `batch_req_${customId}`;
  return JSON.stringify({ id, custom_id: customId, response: { status_code: 200, request_id: 'req_1', body }, error: null });
}

/** A line of an error file. */
export function makeErrorLine(customId: string, code: string, change: { id?: string } = {}): string {
  return JSON.stringify({
    id: change.id ?? `batch_req_${customId}`,
    custom_id: customId,
    response: null,
    error: { code, message: `it is ${code}` },
  });
}

/** Brings custom ids on their way as one shard: written, uploaded, created as `batchId`. */
export async function submit(ledger: Ledger, batchId: string, customIds: readonly string[]): Promise<string> {
  const shard = await uploadShard(ledger, customIds);
  await create(ledger, shard, batchId);
  return shard;
}

/** As far as the file: written and uploaded. */
export async function uploadShard(ledger: Ledger, customIds: readonly string[]): Promise<string> {
  const shard = await writeShard(ledger, customIds);
  await ledger.append({ type: 'upload-intent', shard, filename: `${shard}.jsonl` });
  await ledger.append({ type: 'upload-done', shard, fileId: `file-${shard}` });
  return shard;
}

export async function writeShard(ledger: Ledger, customIds: readonly string[]): Promise<string> {
  const writer = ledger.createShardWriter(ledger.nextShardId());
  for (const customId of customIds) await writer.add(`{"custom_id":"${customId}"}`, customId, 3);
  await writer.finish({ model: 'gpt-4o-mini', url: '/v1/chat/completions' });
  return writer.shard;
}

export async function create(ledger: Ledger, shard: string, batchId: string, attempt = 1): Promise<void> {
  await ledger.append({ type: 'create-intent', shard, attempt, fileId: `file-${shard}`, keyFingerprint: 'f' });
  await ledger.append({ type: 'create-done', shard, attempt, batchId, how: 'response' });
}

/** Takes lines in as a downloaded file of a batch. */
export async function record(
  ledger: Ledger,
  batchId: string,
  lines: readonly string[],
  kind: 'output' | 'error' = 'output',
): Promise<ResponseFile> {
  const temporaryPath = ledger.createTemporaryResponsePath(`${batchId}.${kind}`);
  fs.writeFileSync(temporaryPath, lines.map((line) => `${line}\n`).join(''));
  return ledger.recordResponse({ batchId, kind, temporaryPath, createdSeconds: 1795200000 });
}

export async function finish(ledger: Ledger, batchId: string, status = 'completed'): Promise<number> {
  return (await ledger.finishBatch({ batchId, status, rejected: [], usage: null })).missing;
}

export async function startRun(ledger: Ledger, run: string): Promise<void> {
  await ledger.append({ type: 'run-started', run, job: 'labels', simulated: false, estimateNanoUsd: null });
}

/** Everything the index knows of some keys, for comparison. `settledOffset` is left out: it only says where. */
export function describeKeys(ledger: Ledger, keys: readonly string[]): unknown {
  return keys.map((key) => {
    const id = ledger.keys.find(key);
    if (id === -1) return { key, id };
    const answer = ledger.readAnswer(id);
    return {
      key,
      outcome: ledger.keys.outcome(id),
      attempts: ledger.keys.attempts(id),
      idleRounds: ledger.keys.idleRounds(id),
      reasks: ledger.keys.reasks(id),
      attemptEpoch: ledger.keys.attemptEpoch(id),
      isReopened: ledger.keys.isReopened(id),
      hasHistory: ledger.keys.hasHistory(id),
      shard: ledger.keys.shard(id),
      line: answer.line,
      outcomeAgain: answer.outcome,
      history: ledger.readHistory(id).map(({ customId, outcome, usage }) => ({ customId, outcome, usage })),
    };
  });
}
