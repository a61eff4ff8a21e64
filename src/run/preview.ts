import { MAX_SHARD_BYTES, MAX_SHARD_REQUESTS } from '../batch/cut-size.ts';
import type { Job } from '../core/job.ts';
import type { Request } from '../core/request.ts';
import type { SkipCause, Table } from '../core/row.ts';
import type { CompiledJob } from '../input/compile-job.ts';
import type { KeyIndex } from '../ledger/key-index.ts';
import { findPrice } from '../money/price.ts';
import { createHeuristicTokenEstimator, createTokenEstimator } from '../money/token-estimator.ts';
import { expectAnswerTokens } from './answer-tokens.ts';
import type { StepOf } from './next-step.ts';
import { longestAnswerTokens } from './price-bounds.ts';
import { createRowKeys } from './row-keys.ts';
import { createSampledEstimator } from './sampled-tokens.ts';
import type { SelectedRows } from './selection.ts';
import { hashRowId } from './write-outputs.ts';

/** What a run would do, found by going through the table once; nothing was sent, nothing was spent. Field names are a contract (`plan --json`). */
export interface Preview {
  readonly schema: 'rowmill.plan/1';
  readonly job: string;
  readonly model: string;
  readonly rows: PreviewRows;
  /** Skipped rows by cause. */
  readonly skipped: Readonly<Partial<Record<SkipCause, number>>>;
  /** Of the requests that would be sent. `exactSample` of them were counted exactly. */
  readonly tokens: { readonly input: number; readonly outputExpected: number; readonly outputWorst: number; readonly exactSample: number };
  readonly cost: { readonly batch: CostRange | null; readonly live: CostRange | null; readonly flex: CostRange | null };
  readonly shards: readonly { readonly requests: number; readonly bytes: number; readonly tokens: number }[];
  /** What the user should know before paying. Errors stand here only when there is no plan (exit 2). */
  readonly problems: readonly PlanProblem[];
  /** Body of the first request that would be sent; null when there is none. */
  readonly firstRequest: unknown;
}

export interface PlanProblem {
  readonly severity: 'error' | 'warning';
  /** Null together with line and column where nothing in a file is meant. */
  readonly file: string | null;
  /** From 1, like the column. */
  readonly line: number | null;
  readonly column: number | null;
  readonly message: string;
}

export interface PreviewRows {
  readonly in: number;
  readonly new: number;
  /** Known row ids whose content (or the job's prompt) is another than in the last run. */
  readonly changed: number;
  readonly reused: number;
  readonly duplicate: number;
  readonly skipped: number;
  /** With the provider now. */
  readonly inFlight: number;
  /** Tried again by this run. */
  readonly again: number;
  /** Failed earlier and left alone. */
  readonly failed: number;
}

/** Nano-dollars. */
export interface CostRange {
  readonly lowNanoUsd: number;
  readonly expectedNanoUsd: number;
  readonly worstNanoUsd: number;
}

export interface PreviewOptions {
  readonly table: Table;
  readonly compiled: CompiledJob;
  readonly keys: KeyIndex;
  readonly stepOf: StepOf;
  readonly selected: SelectedRows;
  readonly warnings: readonly string[];
  /** Hashes of the ids of the rows the last run knew; null without one. */
  readonly knownRowIds: ReadonlySet<string> | null;
  /** Mean output tokens of the job's answers so far; null before the first. */
  readonly meanOutputTokens: number | null;
  readonly enqueuedTokens: number | null;
  /** The day whose prices count. */
  readonly at: string;
  /** Whether a sample is counted with the model's tokenizer, which takes a third of a second to load. */
  readonly countsExactly: boolean;
  readonly signal: AbortSignal;
}

/** Requests counted exactly, evenly over those that would be sent as far as is known while streaming. */
const SAMPLE_REQUESTS = 200;

export async function previewRun(options: PreviewOptions): Promise<Preview> {
  const { compiled, selected } = options;
  const { job } = compiled;
  const keyRow = createRowKeys(options.keys, { dedupe: job.dedupe, addsKeys: true });
  const estimate = createSampledEstimator(createHeuristicTokenEstimator({ model: job.model }).estimateRequest);
  const rows = { in: 0, new: 0, changed: 0, reused: 0, duplicate: 0, skipped: 0, inFlight: 0, again: 0, failed: 0 };
  const skipped: Partial<Record<SkipCause, number>> = {};
  const sample = createSample();
  const shards = createShardCount(options.enqueuedTokens);
  let firstRequest: unknown = null;
  let estimatedTokens = 0;

  function send(request: Request): void {
    firstRequest ??= JSON.parse(request.body);
    const tokens = estimate(request.body);
    estimatedTokens += tokens;
    sample.offer(request.body, tokens);
    shards.add(Buffer.byteLength(request.body) + LINE_OVERHEAD_BYTES, tokens);
  }

  for await (const chunk of options.table.readRows(options.signal)) {
    for (const row of chunk) {
      if (!selected.has(row.index)) continue;
      rows.in += 1;
      const rendered = compiled.render(row);
      if (rendered.status === 'skipped') {
        rows.skipped += 1;
        skipped[rendered.cause] = (skipped[rendered.cause] ?? 0) + 1;
        continue;
      }
      const keyed = keyRow(rendered.request);
      const step = options.stepOf(keyed.id);
      if (keyed.isDuplicate) rows.duplicate += 1;
      else if (step === 'done') rows.reused += 1;
      else if (step === 'in-flight') rows.inFlight += 1;
      else if (step === 'failed') rows.failed += 1;
      else {
        if (step !== 'new') rows.again += 1;
        else if (options.knownRowIds?.has(hashRowId(compiled.rowId(row))) === true) rows.changed += 1;
        else rows.new += 1;
        send(keyed.request);
      }
    }
    if ((chunk.at(-1)?.index ?? 0) >= selected.end) break;
  }

  const requests = rows.new + rows.changed + rows.again;
  const exact = options.countsExactly ? await sample.count(job.model) : { requests: 0, ratio: 1 };
  const input = Math.round(estimatedTokens * exact.ratio);
  const perAnswer = expectAnswerTokens(job, options.meanOutputTokens);
  const outputExpected = Math.round(requests * perAnswer);
  const outputWorst = requests * (longestAnswerTokens(job) ?? perAnswer);
  return {
    schema: 'rowmill.plan/1',
    job: job.name,
    model: job.model,
    rows,
    skipped,
    tokens: { input, outputExpected, outputWorst, exactSample: exact.requests },
    cost: priceRanges(job, { input, outputExpected, outputWorst, requests }, options.at),
    shards: shards.list(),
    problems: options.warnings.map(makeWarning),
    firstRequest,
  };
}

function makeWarning(message: string): PlanProblem {
  return { severity: 'warning', file: null, line: null, column: null, message };
}

/** `{"custom_id":"…","method":"POST","url":"/v1/chat/completions","body":…}` and a newline around a body. */
const LINE_OVERHEAD_BYTES = 97;

/** Keeps a thinning sample of bodies: every one until it is full, then every second, fourth … so that it stays even over the table. */
function createSample() {
  let kept: { body: string; tokens: number }[] = [];
  let stride = 1;
  let offered = 0;
  return {
    offer(body: string, tokens: number): void {
      if (offered++ % stride === 0) kept.push({ body, tokens });
      if (kept.length < SAMPLE_REQUESTS * 2) return;
      kept = kept.filter((_, index) => index % 2 === 0);
      stride *= 2;
    },
    /** How far the estimate was off on the sample. The tokenizer is loaded for this alone, and only when something would be sent. */
    async count(model: string): Promise<{ requests: number; ratio: number }> {
      if (kept.length === 0) return { requests: 0, ratio: 1 };
      const { countRequestExactly } = await createTokenEstimator({ model });
      let exactTokens = 0;
      let estimatedTokens = 0;
      for (const { body, tokens } of kept) {
        exactTokens += countRequestExactly(body) ?? tokens;
        estimatedTokens += tokens;
      }
      return { requests: kept.length, ratio: exactTokens / estimatedTokens };
    },
  };
}

/** Cuts as the batch lane would, without writing anything. */
function createShardCount(enqueuedTokens: number | null) {
  const maxTokens = enqueuedTokens === null ? Number.POSITIVE_INFINITY : enqueuedTokens / 2;
  const shards: { requests: number; bytes: number; tokens: number }[] = [];
  return {
    add(bytes: number, tokens: number): void {
      const last = shards.at(-1);
      if (
        last === undefined ||
        last.requests >= MAX_SHARD_REQUESTS ||
        last.bytes + bytes > MAX_SHARD_BYTES ||
        last.tokens + tokens > maxTokens
      ) {
        shards.push({ requests: 1, bytes, tokens });
        return;
      }
      last.requests += 1;
      last.bytes += bytes;
      last.tokens += tokens;
    },
    list: () => shards,
  };
}

interface Expected {
  readonly input: number;
  readonly outputExpected: number;
  readonly outputWorst: number;
  readonly requests: number;
}

function priceRanges(job: Job, expected: Expected, at: string): Preview['cost'] {
  return {
    batch: priceRange(job.model, expected, { lane: 'batch', tier: null, at }),
    live: priceRange(job.model, expected, { lane: 'live', tier: null, at }),
    flex: priceRange(job.model, expected, { lane: 'live', tier: 'flex', at }),
  };
}

/** Low and worst vary what is not known before: the length of the answers; the estimate of the input is good to 5 %. */
function priceRange(model: string, expected: Expected, query: Parameters<typeof findPrice>[1]): CostRange | null {
  const price = findPrice(model, query);
  if (price === null) return null;
  const { rates } = price;
  const costOf = (inputTokens: number, outputTokens: number) =>
    Math.round((inputTokens * rates.inputPicoUsd + outputTokens * rates.outputPicoUsd) / 1000);
  return {
    lowNanoUsd: costOf(expected.input * 0.95, expected.outputExpected / 2),
    expectedNanoUsd: costOf(expected.input, expected.outputExpected),
    worstNanoUsd: costOf(expected.input * 1.05, expected.outputWorst),
  };
}
