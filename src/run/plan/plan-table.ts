import type { Job } from '../../core/job.ts';
import { hideImageData, type Request } from '../../core/request.ts';
import type { SkipCause, Table } from '../../core/row.ts';
import type { CompiledJob } from '../../input/compile-job.ts';
import type { KeyIndex } from '../../ledger/key-index.ts';
import { longestAnswerTokens } from '../../money/cost-bound.ts';
import type { JobTokens } from '../../money/job-tokens.ts';
import type { FindPrice } from '../../money/price.ts';
import type { AnswerLengths } from '../open/answer-history.ts';
import type { StepOf } from '../open/next-step.ts';
import { createRowKeys, hashRowId } from '../open/row-keys.ts';
import type { SelectedRows } from '../open/selection.ts';
import { findCheaper, warnOfImages, warnOfLostCache } from './advice.ts';
import { forecastAnswer } from './answer-forecast.ts';
import { describeCache, readCacheWish } from './cache.ts';
import { describeChanges } from './changes.ts';
import { chooseLane, choosePrice } from './choose-lane.ts';
import { longContextOver, planCaches, priceWork, type Work } from './cost.ts';
import type { KnownRows } from './known-rows.ts';
import type { Plan, PlanProblem } from './plan-result.ts';
import { createPromptCount } from './prompts.ts';
import { createShardCount } from './shards.ts';
import { timeWork } from './time.ts';

export interface PlanTableOptions {
  readonly table: Table;
  readonly compiled: CompiledJob;
  readonly keys: KeyIndex;
  readonly stepOf: StepOf;
  readonly selected: SelectedRows;
  readonly tokens: JobTokens;
  readonly warnings: readonly string[];
  /** What the last run was about; null without one. */
  readonly last: LastRunFacts | null;
  /** How long the job's answers were; null before the first. */
  readonly answers: AnswerLengths | null;
  /** What the answer of a key was billed for its prompt; null when that is not its own. */
  readonly readInputTokens: (id: number, key: string) => number | null;
  /** As the job says or the provider did. */
  readonly enqueuedTokens: number | null;
  readonly findPrice: FindPrice;
  /** What has to stand beside its prices; null mostly. */
  readonly priceNote: string | null;
  /** The day whose prices count. */
  readonly at: string;
  /** Whether a sample is counted with the model's tokenizer, which takes a third of a second to load. */
  readonly countsExactly: boolean;
  readonly signal: AbortSignal;
}

export interface LastRunFacts {
  /** Null when the run kept no list of its rows. */
  readonly rows: KnownRows | null;
  /** The job as it was; null when it is the same, or not known. */
  readonly job: Job | null;
}

export async function planTable(options: PlanTableOptions): Promise<Plan> {
  const { compiled, selected } = options;
  const { job } = compiled;
  const prices = { findPrice: options.findPrice, model: job.model, at: options.at };
  const keyRow = createRowKeys(options.keys, { compiled, addsKeys: true });
  const known = options.last?.rows ?? null;
  const rows = { in: 0, new: 0, changed: 0, reused: 0, duplicate: 0, skipped: 0, inFlight: 0, again: 0, failed: 0 };
  const skipped: Partial<Record<SkipCause, number>> = {};
  const shards = createShardCount(options.enqueuedTokens);
  const prompts = createPromptCount(options.tokens, { longOverTokens: longContextOver(prices), isExact: options.countsExactly });
  let knownRows = 0;
  let firstRequest: unknown = null;

  function send(request: Request): void {
    firstRequest ??= JSON.parse(hideImageData(request.body));
    shards.add(Buffer.byteLength(request.body), prompts.add(request.body));
  }

  for await (const chunk of options.table.readRows(options.signal)) {
    for (const row of chunk) {
      if (!selected.has(row.index)) continue;
      rows.in += 1;
      const isKnown = known?.has(hashRowId(compiled.rowId(row))) === true;
      if (isKnown) knownRows += 1;
      const keyed = keyRow(row);
      if (keyed.status === 'skipped') {
        rows.skipped += 1;
        skipped[keyed.cause] = (skipped[keyed.cause] ?? 0) + 1;
        continue;
      }
      const step = options.stepOf(keyed.id);
      if (keyed.isDuplicate) rows.duplicate += 1;
      else if (step === 'done') {
        rows.reused += 1;
        if (keyed.request !== null) prompts.offerAnswered(keyed.request, keyed.id);
      } else if (step === 'in-flight') rows.inFlight += 1;
      else if (step === 'failed') rows.failed += 1;
      else {
        if (step !== 'new') rows.again += 1;
        else if (isKnown) rows.changed += 1;
        else rows.new += 1;
        if (keyed.request !== null) send(keyed.request);
      }
    }
    prompts.learn();
    if ((chunk.at(-1)?.index ?? 0) >= selected.end) break;
  }

  const counted = prompts.finish(options.readInputTokens);
  const requests = counted.short.requests + counted.long.requests;
  const answer = forecastAnswer(job, options.answers);
  const worstOutputTokens = longestAnswerTokens(job) ?? answer.p95Tokens;
  const beginning = options.tokens.findCacheBeginning();
  const work: Work = {
    ...counted,
    expectedOutputTokens: answer.expectedTokens,
    worstOutputTokens,
    beginningTokens: beginning?.tokens ?? 0,
    cacheWish: readCacheWish(job),
  };
  const cost = priceWork(prices, work);
  const lane = chooseLane(job.mode, { rows });
  const priced = choosePrice(job.mode, lane);
  const input = counted.short.tokens + counted.long.tokens;
  const outputExpected = Math.round(requests * answer.expectedTokens);
  const advised = { prices, lane, priced, work, cost, hasImages: counted.hasImages };
  const warnings = [...options.warnings, warnOfLostCache(advised, counted.constantTokens), ...warnOfImages(job.model, counted)];
  const expectedNanoUsd = cost[priced]?.expectedNanoUsd ?? null;
  const gone = known !== null && selected.isAll ? known.count - knownRows : null;
  return {
    schema: 'rowmill.plan/1',
    job: job.name,
    model: job.model,
    rows,
    skipped,
    changes: options.last === null ? [] : describeChanges(job, options.last.job, { rows, gone, expectedNanoUsd }),
    tokens: {
      input,
      outputExpected,
      outputWorst: requests * worstOutputTokens,
      outputP50: answer.p50Tokens,
      outputP95: answer.p95Tokens,
      outputMeasured: answer.measuredAnswers,
      exactSample: counted.exactSample,
      inputMeasured: counted.inputMeasured,
    },
    cost,
    ...(options.priceNote === null || (cost.batch ?? cost.live ?? cost.flex) === null ? {} : { priceNote: options.priceNote }),
    promptCache: describeCache(job, work, planCaches(prices, work), priced),
    cheaper: findCheaper(advised),
    shards: shards.list(counted.factor),
    time: timeWork(
      job.model,
      { requests, inputTokens: input, outputTokens: outputExpected },
      { ...job.limits, enqueuedTokens: options.enqueuedTokens },
    ),
    problems: warnings.filter((warning) => warning !== null).map(makeWarning),
    firstRequest,
  };
}

export function makeWarning(message: string): PlanProblem {
  return { severity: 'warning', file: null, line: null, column: null, message };
}
