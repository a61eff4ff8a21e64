import { UsageError } from '../../core/errors.ts';
import type { Job } from '../../core/job.ts';
import { listModels, showModels } from '../../core/models/split-by-model.ts';
import { hideImageData, type Request } from '../../core/request.ts';
import type { Row, SkipCause, Table } from '../../core/row.ts';
import { formatCount } from '../../core/wording/format-count.ts';
import type { CompiledJob } from '../../input/compile-job.ts';
import { setParams } from '../../input/request/extra-params.ts';
import type { KeyIndex } from '../../ledger/key-index.ts';
import type { FindPrice } from '../../money/price.ts';
import { findClosestModel } from '../../money/tier-table.ts';
import type { ModelTokens } from '../../money/tokens/model-tokens.ts';
import type { CheckRow } from '../../output/row-check.ts';
import { createWorkSize, type WorkSize } from '../budget/foresee-budget.ts';
import type { AnswerLengths } from '../open/answer-history.ts';
import type { Opening, ParamSet } from '../open/opening.ts';
import { createRowKeys, hashRowId, type KeyedRow, type KeyRow } from '../open/row-keys.ts';
import type { SelectedRows } from '../open/selection.ts';
import type { MakeDueRequest } from '../send/due-request.ts';
import { createDuplicateRows, type DuplicateRows } from '../send/duplicate-rows.ts';
import { findCheaper, warnOfImages, warnOfLostCache } from './advice.ts';
import { forecastAsked } from './answer-forecast.ts';
import { describeCache } from './cache.ts';
import { describeChanges } from './changes.ts';
import { chooseLane, choosePrice } from './choose-lane.ts';
import { type LaneCosts, longContextOver, planCaches, priceWork } from './cost.ts';
import type { KnownRows } from './known-rows.ts';
import { type EndOptions, foreseeEnd } from './model-end.ts';
import type { Plan, PlannedRequest, PlanProblem } from './plan-result.ts';
import type { PlannedEnd } from './planned-end.ts';
import { createPromptCount } from './prompts.ts';
import { createShardCount, type ShardCount } from './shards.ts';
import { timeWork } from './time.ts';
import { makeWork, REQUEST_GROUP, sumWork, sumWorkByModel } from './work.ts';

export interface PlanTableOptions {
  readonly table: Table;
  readonly compiled: CompiledJob;
  readonly keys: KeyIndex;
  /** The state of keys once the run has started. */
  readonly opening: Opening;
  /** As of `Ledger`. */
  readonly noLongerOk: ReadonlySet<number>;
  /** The warning about answers of rows that are not selected; null if they keep counting. */
  readonly forgotten: string | null;
  readonly makeDueRequest: MakeDueRequest;
  /** Whether the output table can hold a row. */
  readonly checkRow: CheckRow;
  readonly selected: SelectedRows;
  /** Called with what every selected row asks; null if nobody needs it. */
  readonly watchRows: ((keyRow: KeyRow) => KeyRow) | null;
  readonly tokens: ModelTokens;
  readonly warnings: readonly string[];
  /** Further warnings about the rows, once all were read. */
  readonly readWarnings: () => readonly string[];
  /** What the last run was about; null without one. */
  readonly last: LastRunFacts | null;
  /** The length of the job's answers; null before the first. */
  readonly answers: AnswerLengths | null;
  /** The billed prompt tokens of a key's answer; null if they are not its own. */
  readonly readInputTokens: (id: number, key: string) => number | null;
  /** Limits of a model, from the job or the provider. */
  readonly enqueuedTokensOf: (model: string) => number | null;
  readonly findPrice: FindPrice;
  /** The note to show with its prices; usually null. */
  readonly priceNote: string | null;
  /** The day whose prices count. */
  readonly at: string;
  /** When its models end, as far as known; the soonest first. */
  readonly ends: readonly EndOptions[];
  /** Whether a sample is counted with the model's tokenizer, which takes time to load. */
  readonly countsExactly: boolean;
  /** How many requests the plan shows in full besides the first; null if none. */
  readonly shownRequests: number | null;
  readonly signal: AbortSignal;
}

export interface LastRunFacts {
  /** Null if the run stored no list of its rows. */
  readonly rows: KnownRows | null;
  /** The job at that time; null if it is the same, or unknown. */
  readonly job: Job | null;
}

/** A plan, and what a run has to reopen for it. */
export interface PlannedTable {
  readonly plan: Plan;
  /** The failed keys it reopens, each once. */
  readonly reopenedKeys: readonly string[];
  /** Those of `plan.rows.duplicate`. */
  readonly duplicates: Pick<DuplicateRows, 'countAnswered'>;
  /** What is known about the ends of its models, even if they do not apply to the address: if a model is refused there, this may be why. */
  readonly modelEnds: readonly PlannedEnd[];
  /** How much it sends. */
  readonly size: WorkSize;
  /** Warnings about answers of this table's rows that no longer count; empty if there are none. */
  readonly lostAnswers: readonly string[];
}

/** @throws UsageError if the output table cannot hold a row */
export async function planTable(options: PlanTableOptions): Promise<PlannedTable> {
  const { compiled, selected } = options;
  const { job } = compiled;
  const prices = { findPrice: options.findPrice, model: job.model, at: options.at };
  const { opening } = options;
  const { view } = opening;
  const { watchRows } = options;
  const ownKeys = createRowKeys(options.keys, { compiled, addsKeys: true, isAnswered: view.isAnswered });
  const keyRow = watchRows === null ? ownKeys : watchRows(ownKeys);
  const known = options.last?.rows ?? null;
  const rows = { in: 0, new: 0, changed: 0, answered: 0, reused: 0, duplicate: 0, skipped: 0, inFlight: 0, again: 0, failed: 0 };
  const skipped: Partial<Record<SkipCause, number>> = {};
  /** By endpoint and model. */
  const shards = new Map<string, ShardCount>();
  const longOver = new Map(listModels(job).map((model) => [model, longContextOver({ ...prices, model })]));
  const prompts = createPromptCount(options.tokens, {
    longOverTokens: ({ model = job.model }) => longOver.get(model) ?? Number.POSITIVE_INFINITY,
    isExact: options.countsExactly,
  });
  const size = createWorkSize();
  const reopenedKeys: string[] = [];
  const duplicates = createDuplicateRows(options.keys);
  let knownRows = 0;
  let answeredBefore = 0;
  let lostAnswers = 0;
  let firstRequest: unknown = null;
  const requests: PlannedRequest[] = [];

  function send(row: Row, request: Request, set: ParamSet): void {
    firstRequest ??= JSON.parse(hideImageData(request.body));
    if (requests.length < (options.shownRequests ?? 0))
      requests.push({ file: row.file, line: row.line, id: compiled.rowId(row), request: JSON.parse(hideImageData(request.body)) });
    const name = `${request.url} ${request.model ?? ''}`;
    const count = shards.get(name) ?? createShardCount(options.enqueuedTokensOf(request.model ?? job.model));
    shards.set(name, count);
    count.add(size.add(request), prompts.add(request, set));
  }

  function planRow(row: Row, { id, key, request, isDuplicate }: KeyedRow, isKnown: boolean): void {
    if (isDuplicate) {
      rows.duplicate += 1;
      duplicates.add(id);
      return;
    }
    if (opening.opens(id)) reopenedKeys.push(key);
    else if (!opening.isFresh && options.noLongerOk.has(id)) lostAnswers += 1;
    if (request !== null && options.keys.outcome(id) === 'ok') prompts.offerAnswered(request, id);
    const step = view.isUnsent(id) ? 'unsent' : view.stepOf(id);
    if (step === 'done') rows[view.isOfOpenRun(id) ? 'answered' : 'reused'] += 1;
    else if (step === 'in-flight') rows.inFlight += 1;
    else if (step === 'failed') rows.failed += 1;
    else {
      const wasAnswered = options.keys.wasAnsweredBefore(id);
      if (wasAnswered && !opening.isFresh) answeredBefore += 1;
      if (wasAnswered || (step !== 'new' && options.keys.outcome(id) !== null)) rows.again += 1;
      // What the last run should have sent, but did not, has not changed.
      else if (isKnown && known?.hasKey(key) === false) rows.changed += 1;
      else rows.new += 1;
      if (request === null) return;
      const due = step === 'unsent' ? request : options.makeDueRequest(row, request, id, step);
      send(row, due, row.request === undefined ? (view.setOf(id, key) ?? {}) : { [REQUEST_GROUP]: row.request.group });
    }
  }

  for await (const chunk of options.table.readRows(options.signal)) {
    for (const row of chunk) {
      if (!selected.has(row.index)) continue;
      rows.in += 1;
      const unwritable = options.checkRow(row);
      if (unwritable !== null)
        throw new UsageError([{ place: { file: row.file, line: row.line, column: 1 }, message: unwritable }], { code: 'table' });
      const isKnown = known?.has(hashRowId(compiled.rowId(row))) === true;
      if (isKnown) knownRows += 1;
      const keyed = keyRow(row);
      if (keyed.status === 'keyed') planRow(row, keyed, isKnown);
      else {
        rows.skipped += 1;
        skipped[keyed.cause] = (skipped[keyed.cause] ?? 0) + 1;
      }
    }
    prompts.learn();
    if ((chunk.at(-1)?.index ?? 0) >= selected.end) break;
  }

  const counted = prompts.finish(options.readInputTokens);
  const answer = forecastAsked(job, { ...job, params: setParams(job.params, opening.set) }, options.answers);
  const work = makeWork(
    job,
    { ...counted, beginningTokens: Math.round((options.tokens.own.findCacheBeginning()?.tokens ?? 0) * counted.factor) },
    options.answers,
  );
  const sums = sumWork(work);
  const cost = priceWork(prices, work);
  const lane = chooseLane(job.mode, { rows });
  const priced = choosePrice(job.mode, lane);
  const advised = { prices, lane, priced, work, cost, hasImages: counted.hasImages };
  const modelEnds = options.ends.map((end) => foreseeEnd(job, end, advised));
  const endsHere = modelEnds.filter((_, index) => options.ends[index]?.holdsHere === true);
  const lost = [...warnOfLostAnswers(lostAnswers), ...(options.forgotten === null ? [] : [options.forgotten])];
  const warnings = [
    ...options.warnings,
    ...lost,
    ...options.readWarnings(),
    ...endsHere.map(({ message }) => message),
    warnOfLostCache(advised, counted.constantTokens),
    ...warnOfImages(job.model, counted),
  ];
  const expectedNanoUsd = cost[priced]?.expectedNanoUsd ?? null;
  const gone = known !== null && selected.isAll ? known.count - knownRows : null;
  const compared = { rows, gone, expectedNanoUsd, isFresh: opening.isFresh, reopened: reopenedKeys.length, answeredBefore };
  const planned: Plan = {
    schema: 'rowmill.plan/1',
    job: job.name,
    model: showModels(job),
    ...nameClosestModel(job.model, cost),
    rows,
    ...(answeredBefore === 0 ? {} : { answeredBefore }),
    skipped,
    changes: options.last === null ? [] : describeChanges(job, options.last.job, compared),
    tokens: {
      input: sums.inputTokens,
      outputExpected: sums.outputExpectedTokens,
      outputWorst: sums.outputWorstTokens,
      outputP50: answer.p50Tokens,
      outputP95: answer.p95Tokens,
      outputMeasured: answer.measuredAnswers,
      exactSample: counted.exactSample,
      inputMeasured: counted.inputMeasured,
    },
    cost,
    ...(options.priceNote === null || (cost.batch ?? cost.live ?? cost.flex) === null ? {} : { priceNote: options.priceNote }),
    promptCache: describeCache(job, work, planCaches(prices, work), priced),
    // Requests name their model themselves.
    cheaper: job.requests === undefined ? findCheaper(advised) : null,
    modelEnd: endsHere[0] ?? null,
    shards: [...shards.values()].flatMap((count) => count.list(counted.factor)),
    time: timeWork(sumWorkByModel(work, job.model), (model) => ({ ...job.limits, enqueuedTokens: options.enqueuedTokensOf(model) })),
    problems: warnings.filter((warning) => warning !== null).map(makeWarning),
    firstRequest,
    ...(options.shownRequests === null ? {} : { requests }),
  };
  return { plan: planned, size, reopenedKeys, duplicates, modelEnds, lostAnswers: lost };
}

/** For a model without a known price, whose name may be mistyped. */
function nameClosestModel(model: string, { batch, live, flex }: LaneCosts): Pick<Plan, 'closestModel'> {
  const closest = (batch ?? live ?? flex) === null ? findClosestModel(model) : null;
  return closest === null ? {} : { closestModel: closest };
}

/** They were valid by other rules: those of the job before it was changed, or of an earlier version. */
function warnOfLostAnswers(count: number): readonly string[] {
  if (count === 0) return [];
  const [answers, are] = count === 1 ? ['answer that was', 'is'] : ['answers that were', 'are'];
  return [
    `${formatCount(count)} stored ${answers} ok ${are} invalid under the current rules; rowmill failures says why, and retry sends them again`,
  ];
}

export function makeWarning(message: string): PlanProblem {
  return { severity: 'warning', file: null, line: null, column: null, message };
}
