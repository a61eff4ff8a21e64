// Opening a state directory of many settled requests: with `settled.jsonl`, and without it. The baseline is a bare pass that reads every
// line of the same files and JSON.parses it. Usage: node dist/bench/open-ledger.js [--rows 1000000]
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { makeKey } from '../src/core/request.ts';
import { type Ledger, openLedger } from '../src/ledger/ledger.ts';
import { forEachLine, readLineChunks } from '../src/ledger/read-lines.ts';

const SHARD_ROWS = 50_000;
const ANSWERS = 100_000;

/** Every phase runs in a process of its own, so that its memory is its own. */
const PHASES: Readonly<Record<string, (directory: string, rows: number) => Promise<void>>> = {
  fill,
  'parse-records': (directory) => parseAll(['events.jsonl', 'settled.jsonl'].map((name) => path.join(directory, name))),
  open: async (directory) => (await open(directory, 'read')).close(),
  'parse-responses': (directory) => parseAll(listFiles(path.join(directory, 'responses'))),
  rebuild: async (directory) => (await open(directory, 'write')).close(),
  look: look,
};

function main(): void {
  const { values, positionals } = parseArgs({ options: { rows: { type: 'string', default: '1000000' } }, allowPositionals: true });
  const rows = Number(values.rows);
  const [phase, phaseDirectory] = positionals;
  if (phase !== undefined && phaseDirectory !== undefined) return void runPhase(phase, phaseDirectory, rows);
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'rowmill-bench-'));
  const run = (name: string) => spawnPhase(name, directory, rows);
  try {
    console.log(`${rows} requests, ${process.version}`);
    print('write shards and settle answers', run('fill'), null);
    const records = run('parse-records');
    print('baseline: JSON.parse of every event and record', records, null);
    print('open', run('open'), records);
    const responses = run('parse-responses');
    print('baseline: JSON.parse of every response line', responses, null);
    fs.rmSync(path.join(directory, 'settled.jsonl'));
    print('open without settled.jsonl', run('rebuild'), responses);
    for (const line of run('look').lines) console.log(`  ${line}`);
  } finally {
    fs.rmSync(directory, { recursive: true, force: true });
  }
}

interface Measured {
  readonly seconds: number;
  readonly peakMb: number;
  readonly lines: readonly string[];
}

async function runPhase(phase: string, directory: string, rows: number): Promise<void> {
  const startedAtMs = performance.now();
  await PHASES[phase]?.(directory, rows);
  const peakMb = Math.round(process.resourceUsage().maxRSS / 1024);
  console.log(JSON.stringify({ seconds: (performance.now() - startedAtMs) / 1000, peakMb }));
}

function spawnPhase(phase: string, directory: string, rows: number): Measured {
  const args = [...process.execArgv, process.argv[1] as string, phase, directory, '--rows', String(rows)];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  const lines = stdout.trim().split('\n');
  return { ...(JSON.parse(lines.pop() as string) as Measured), lines };
}

function open(directory: string, access: 'write' | 'read'): Promise<Ledger> {
  let ids = 0;
  return openLedger({
    directory,
    origin: 'default',
    job: 'bench',
    access,
    checkAnswer: (text) => ({ ok: true, value: JSON.parse(text) }),
    rulesHash: 'rules',
    visit: () => undefined,
    clock: () => new Date(),
    randomId: () => `bench${ids++}`,
    processIdentity: { pid: process.pid, host: os.hostname(), startTime: null },
    signal: new AbortController().signal,
  });
}

function keyOf(row: number): string {
  return makeKey('/v1/chat/completions', String(row));
}

/** One batch for every 50,000 rows, answered in an order that is not the shard's. */
async function fill(directory: string, rows: number): Promise<void> {
  const ledger = await open(directory, 'write');
  await ledger.append({ type: 'run-started', run: 'run-1', job: 'bench', simulated: true });
  for (let start = 0; start < rows; start += SHARD_ROWS) {
    const shardRows = Math.min(SHARD_ROWS, rows - start);
    const writer = ledger.createShardWriter(ledger.nextShardId());
    for (let row = start; row < start + shardRows; row++) await writer.add(`{"custom_id":"${keyOf(row)}"}`, keyOf(row), 20);
    const { shard } = writer;
    await writer.finish({ model: 'gpt-4o-mini', url: '/v1/chat/completions' });
    const batchId = `batch_${shard}`;
    await ledger.append({ type: 'create-intent', shard, attempt: 1, fileId: 'file-1', keyFingerprint: 'f' });
    await ledger.append({ type: 'create-done', shard, attempt: 1, batchId, how: 'response' });
    const temporaryPath = ledger.createTemporaryResponsePath('download');
    writeAnswers(temporaryPath, start, shardRows);
    await ledger.recordResponse({ batchId, kind: 'output', temporaryPath, createdSeconds: 1795219200 });
    await ledger.finishBatch({ batchId, status: 'completed', rejected: [], usage: null });
  }
  await ledger.close();
}

function writeAnswers(file: string, start: number, rows: number): void {
  const descriptor = fs.openSync(file, 'w');
  let lines: string[] = [];
  for (let i = 0; i < rows; i++) {
    // 7,919 is prime to any number of rows here: every row once, shuffled.
    lines.push(makeAnswerLine(start + ((i * 7919) % rows)));
    if (lines.length === 1000 || i === rows - 1) {
      fs.writeSync(descriptor, lines.join(''));
      lines = [];
    }
  }
  fs.closeSync(descriptor);
}

function makeAnswerLine(row: number): string {
  return (
    `{"id":"batch_req_${row}","custom_id":"${keyOf(row)}","response":{"status_code":200,"request_id":"req_${row}","body":{"id":"chatcmpl-${row}",` +
    `"object":"chat.completion","created":1795219200,"model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,"message":{"role":"assistant",` +
    `"content":"{\\"label\\":\\"positive\\",\\"why\\":\\"the customer says that it works well\\"}","refusal":null},"logprobs":null,"finish_reason":"stop"}],` +
    `"usage":{"prompt_tokens":123,"completion_tokens":15,"total_tokens":138,"prompt_tokens_details":{"cached_tokens":0},` +
    `"completion_tokens_details":{"reasoning_tokens":0}},"service_tier":"default"}},"error":null}\n`
  );
}

async function parseAll(files: readonly string[]): Promise<void> {
  for (const file of files) {
    for await (const chunk of readLineChunks(file, { signal: new AbortController().signal })) {
      forEachLine(chunk.bytes, (start, end) => void JSON.parse(chunk.bytes.toString('utf8', start, end)));
    }
  }
}

/** What the open ledger is asked for by key, for every row. */
async function look(directory: string, rows: number): Promise<void> {
  const ledger = await open(directory, 'read');
  const { keys } = ledger;
  console.log(`${(keys.bytes / keys.size).toFixed(1)} bytes a key, ${keys.size} keys`);
  const made = Array.from({ length: Math.min(rows, ANSWERS) }, (_, i) => keyOf(Math.floor((i * rows) / ANSWERS)));
  const foundAtMs = performance.now();
  const ids = made.map((key) => keys.find(key));
  console.log(`${(((performance.now() - foundAtMs) * 1e6) / ids.length).toFixed(0)} ns to find a key`);
  const readAtMs = performance.now();
  for (const id of ids) ledger.readAnswer(id);
  console.log(`${(((performance.now() - readAtMs) * 1e3) / ids.length).toFixed(1)} us to read an answer`);
  await ledger.close();
}

function listFiles(directory: string): readonly string[] {
  return fs.readdirSync(directory).map((name) => path.join(directory, name));
}

function print(what: string, { seconds, peakMb }: Measured, baseline: Measured | null): void {
  const ratio = baseline === null ? '' : ` (${(seconds / baseline.seconds).toFixed(2)}x its baseline)`;
  console.log(`${what}: ${seconds.toFixed(2)} s${ratio}, peak RSS ${peakMb} MB`);
}

main();
