import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { AppError, UsageError } from '../core/errors.ts';
import type { Job, NotifySpec } from '../core/job.ts';
import { listBaseNames } from '../core/model/base-model.ts';
import { listModels } from '../core/models/split-by-model.ts';
import { placeError } from '../core/problem-path.ts';
import { callWithin } from '../core/timer.ts';
import { formatThings } from '../core/wording/format-count.ts';
import { suggest } from '../core/wording/suggest.ts';
import { findInputPlace, type LoadedJob, loadJob } from '../input/job/load-job.ts';
import { loadPrices } from '../input/job/load-prices.ts';
import { findParamDoubts } from '../input/request/param-doubts.ts';
import { bindRequests } from '../input/requests/render-requests.ts';
import { openTable } from '../input/table/open-table.ts';
import { DEFAULT_BASE_URL, hostOfOrigin } from '../ledger/origin.ts';
import { createFindPrice, type FindPrice } from '../money/price.ts';
import { findPriceSource } from '../money/price-source.ts';
import { suggestModel } from '../money/tier-table.ts';
import { type ModelEnd, makeToldEnd } from '../openai/model-ends.ts';
import type { Provider } from '../openai/provider.ts';
import type { RemoteModel } from '../openai/wire.ts';
import type { Effects } from '../run/open/effects.ts';
import { type Connection, locateStateDirectory, type Target } from '../run/open/target.ts';
import type { PlannedEnd } from '../run/plan/planned-end.ts';
import { examineEnd } from './examine-end.ts';
import { examineOutput } from './examine-output.ts';

/** The result of one check. */
export interface Finding {
  readonly name:
    | 'node'
    | 'job'
    | 'params'
    | 'notify'
    | 'input'
    | 'output'
    | 'state'
    | 'disk'
    | 'key'
    | 'base url'
    | 'proxy'
    | 'models'
    | 'model'
    | 'end'
    | 'price'
    | 'clock';
  readonly status: 'ok' | 'warning' | 'problem';
  readonly message: string;
  /** Of the finding `end`: what the message says. */
  readonly modelEnd?: PlannedEnd;
}

export interface DoctorOptions {
  /** Null looks at the machine and the provider only. */
  readonly jobFile: string | null;
  /** Replaces the table of the job; absent: the job's own. */
  readonly input?: string | null;
  /** Says why a job's webhook could not be notified; null if its settings are right. Absent: they are not checked. */
  readonly findNoticeProblem?: (notify: NotifySpec) => string | null;
  readonly cwd: string;
  readonly stateRoot: string | null;
  /** Files with keys, which must not be overwritten; absent if there are none. */
  readonly environmentFiles?: readonly string[];
  readonly target: Target;
  /** Where a connection may keep files of its own. */
  readonly temporaryDirectory: string;
  readonly nodeVersion: string;
  readonly effects: Effects;
  readonly signal: AbortSignal;
}

const MIN_NODE = [20, 19] as const;
const GIGABYTE = 1e9;
const LITTLE_DISK_BYTES = 2 * GIGABYTE;
const NO_DISK_BYTES = 0.1 * GIGABYTE;
/** Batches are matched within ten minutes of skew; half of it is a reason to look at the clock. */
const SKEW_WARNING_MS = 300_000;
const SKEW_PROBLEM_MS = 600_000;
const CALL_TIMEOUT_MS = 15_000;

/** Checks everything a run needs, without sending a row. It requests a model list, which costs nothing. */
export async function examine(options: DoctorOptions): Promise<readonly Finding[]> {
  const findings: Finding[] = [examineNode(options.nodeVersion)];
  let job: Job | null = null;
  const from = findPriceSource(hostOfOrigin(options.target.origin));
  let findPrice = createFindPrice([]);
  if (options.jobFile !== null) {
    try {
      job = await learnModels(await loadJob(options.jobFile, { cwd: options.cwd, input: options.input ?? null }), options);
      findPrice = createFindPrice(await loadPrices(job.directory, options.cwd), { from });
      findings.push({ name: 'job', status: 'ok', message: `${job.name}: the job file is right` }, ...examineParams(job));
      findings.push(...examineNotify(job, options));
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      findings.push({ name: 'job', status: 'problem', message: error.message });
    }
  }
  const stateDirectory =
    job === null ? resolve(options.stateRoot ?? '.rowmill') : locateStateDirectory(job, options.target.origin, options.stateRoot);
  const asked = await examineProvider(options, job);
  findings.push(...examineDisk(stateDirectory));
  const { cwd, environmentFiles = [], effects } = options;
  if (job !== null) findings.push(...(await examineOutput(job, { cwd, stateDirectory, environmentFiles, now: effects.clock() })));
  findings.push(...asked.findings);
  if (job === null) return findings;
  for (const model of namedModels(job)) {
    findings.push(examinePrice({ ...job, model }, findPrice, options.effects.clock()));
    const modelEnd = await examineEnd({ ...job, model }, asked.toldEnd, options);
    if (modelEnd !== null) findings.push({ name: 'end', status: 'warning', message: modelEnd.message, modelEnd });
  }
  return findings;
}

/** The models of a table of requests are known only once it is read; one on standard input cannot be. @throws UsageError if it is not one */
async function learnModels(loaded: LoadedJob, { cwd, signal }: DoctorOptions): Promise<Job> {
  const { job } = loaded;
  if (job.input.format !== 'requests' || job.input.path === '-') return job;
  const table = await openTable(job.input, { cwd, signal }).catch((error: unknown) => {
    throw placeError(error, findInputPlace(loaded));
  });
  return bindRequests(job, table.requests);
}

/** The models that are known without reading a table on standard input. */
function namedModels(job: Job): readonly string[] {
  return listModels(job).filter((model) => model !== '');
}

function examineNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isNew = major > MIN_NODE[0] || (major === MIN_NODE[0] && minor >= MIN_NODE[1]);
  return { name: 'node', status: isNew ? 'ok' : 'problem', message: `Node ${version}; ${MIN_NODE.join('.')} or newer is needed` };
}

/** The webhook itself is not called: its receiver would get a message about nothing. */
function examineNotify({ notify }: Job, { findNoticeProblem }: Pick<DoctorOptions, 'findNoticeProblem'>): readonly Finding[] {
  if (notify === null || findNoticeProblem === undefined) return [];
  const problem = findNoticeProblem(notify);
  if (problem !== null) return [{ name: 'notify', status: 'warning', message: problem }];
  return [{ name: 'notify', status: 'ok', message: `${notify.urlEnv} has an address; it is notified of ${notify.on.join(', ')}` }];
}

/** The job's parameters that its model does not accept. */
function examineParams(job: Job): readonly Finding[] {
  return findParamDoubts(job).map(({ message, isCertain }) => ({ name: 'params', status: isCertain ? 'problem' : 'warning', message }));
}

function examineDisk(stateDirectory: string): readonly Finding[] {
  const findings: Finding[] = [];
  let folder = stateDirectory;
  while (!existsSync(folder)) folder = dirname(folder);
  const isThere = folder === stateDirectory;
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    const isOpen = isThere && existsSync(join(folder, 'events.jsonl')) && (statSync(folder).mode & 0o077) !== 0;
    findings.push(
      isOpen
        ? { name: 'state', status: 'warning', message: `other users can read ${folder}; run: chmod 700 ${folder}` }
        : { name: 'state', status: 'ok', message: `${stateDirectory} ${isThere ? 'can be written' : 'can be made'}` },
    );
  } catch {
    findings.push({ name: 'state', status: 'problem', message: `${folder} cannot be written; --state-dir DIR puts the state elsewhere` });
  }
  const { bavail, bsize } = statfsSync(folder);
  const freeBytes = bavail * bsize;
  const status = freeBytes < NO_DISK_BYTES ? 'problem' : freeBytes < LITTLE_DISK_BYTES ? 'warning' : 'ok';
  return [...findings, { name: 'disk', status, message: `${(freeBytes / GIGABYTE).toFixed(1)} GB free` }];
}

/** What the provider was asked. */
interface Asked {
  readonly findings: readonly Finding[];
  /** When it ends the job's model; null: it says that it does not; absent: it says nothing. */
  readonly toldEnd?: ModelEnd | null;
}

/** Key, address, model list and clock: the checks that need the provider. */
async function examineProvider(options: DoctorOptions, job: Job | null): Promise<Asked> {
  let connection: Connection;
  try {
    connection = await options.target.connect(options.temporaryDirectory);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { findings: [{ name: 'key', status: 'problem', message: error.message }] };
  }
  const { provider, close } = connection;
  try {
    const isDefault = provider.baseUrl === DEFAULT_BASE_URL;
    const { findings, ...told } = await examineModels(provider, job, options);
    const seen: readonly Finding[] = [
      { name: 'key', status: 'ok', message: options.target.origin === 'simulator' ? 'the simulator needs none' : 'there is one' },
      { name: 'base url', status: 'ok', message: `${provider.baseUrl}${isDefault ? '' : ' (not the default)'}` },
      ...examineWay(provider),
      ...findings,
      await examineClock(provider, options),
    ];
    return { findings: seen, ...told };
  } finally {
    await close();
  }
}

/** The proxy and certificates named by the environment, if any. */
function examineWay({ proxy }: Provider): readonly Finding[] {
  const extra = process.env.NODE_EXTRA_CA_CERTS ?? '';
  const certificates = extra === '' ? '' : `certificates of ${extra} are trusted too (NODE_EXTRA_CA_CERTS)`;
  if (proxy === null) return extra === '' ? [] : [{ name: 'proxy', status: 'ok', message: `none; ${certificates}` }];
  const exempt = proxy.exempt === '' ? '' : `, but not to ${proxy.exempt} (NO_PROXY)`;
  const message = `calls go through ${proxy.host} (${proxy.variable})${exempt}${certificates === '' ? '' : `; ${certificates}`}`;
  return [{ name: 'proxy', status: 'ok', message }];
}

async function examineModels(provider: Provider, job: Job | null, options: DoctorOptions): Promise<Asked> {
  let models: readonly RemoteModel[];
  try {
    models = await callWithin(CALL_TIMEOUT_MS, withTimer(options), (deadline) => provider.listModels(deadline));
  } catch (error) {
    options.signal.throwIfAborted();
    const message = error instanceof AppError ? error.message : 'no answer within 15 s';
    return { findings: [{ name: 'models', status: 'problem', message: `the model list cannot be read: ${message}` }] };
  }
  const findings: Finding[] = [{ name: 'models', status: 'ok', message: `${formatThings(models.length, 'model')}` }];
  if (job === null) return { findings };
  const names = models.map(({ id }) => id);
  const asked = namedModels(job);
  for (const model of asked) {
    const isListed = names.includes(model);
    const message = isListed ? `${model} is in the list` : `${model} is not in the list of this key${suggest(model, names)}`;
    findings.push({ name: 'model', status: isListed ? 'ok' : 'problem', message });
  }
  const [model] = asked;
  if (model === undefined || asked.length > 1) return { findings };
  const listed = models.find(({ id }) => id === model);
  const told = listed?.endsOn === undefined ? await askForEnd(provider, model, options) : listed.endsOn;
  const endsOn = told === undefined ? models.find(({ id }) => id === listBaseNames(model)[0])?.endsOn : told;
  return { findings, ...(endsOn === undefined ? {} : { toldEnd: makeToldEnd(model, endsOn) }) };
}

/** What an address says about a single model, if its list says nothing. Many servers lack this call. */
async function askForEnd(provider: Provider, model: string, options: DoctorOptions): Promise<RemoteModel['endsOn']> {
  try {
    return (await callWithin(CALL_TIMEOUT_MS, withTimer(options), (deadline) => provider.retrieveModel(model, deadline)))?.endsOn;
  } catch {
    options.signal.throwIfAborted();
    return undefined;
  }
}

function withTimer({ signal, effects: { startTimer } }: DoctorOptions) {
  return { signal, startTimer };
}

/** Compares clocks by the Date header of a response to a request without a key. */
async function examineClock(provider: Provider, options: DoctorOptions): Promise<Finding> {
  const name = 'clock';
  try {
    const response = await callWithin(CALL_TIMEOUT_MS, withTimer(options), (deadline) =>
      provider.fetch(`${provider.baseUrl}/models`, { method: 'HEAD', redirect: 'manual', signal: deadline }),
    );
    const theirs = Date.parse(response.headers.get('date') ?? '');
    if (Number.isNaN(theirs)) return { name, status: 'warning', message: 'the provider does not send its time' };
    const skewMs = Math.abs(options.effects.clock().getTime() - theirs);
    const status = skewMs > SKEW_PROBLEM_MS ? 'problem' : skewMs > SKEW_WARNING_MS ? 'warning' : 'ok';
    return { name, status, message: `${Math.round(skewMs / 1000)} s from the provider's` };
  } catch {
    options.signal.throwIfAborted();
    return { name, status: 'warning', message: 'the provider could not be asked for its time' };
  }
}

function examinePrice({ model, budget, mode }: Job, findPrice: FindPrice, now: Date): Finding {
  const lane = mode === 'live' ? 'live' : 'batch';
  const price = findPrice(model, { lane, tier: null, at: now.toISOString() });
  if (price !== null) {
    const perMillion = (picoUsd: number) => `$${Number((picoUsd / 1e6).toPrecision(6))}`;
    const { inputPicoUsd, outputPicoUsd } = price.rates;
    const note = price.note === '' ? '' : ` (${price.note})`;
    const message = `${model} ${lane === 'live' ? 'live' : 'in batches'}: ${perMillion(inputPicoUsd)} in, ${perMillion(outputPicoUsd)} out per million tokens${note}`;
    return { name: 'price', status: price.isAssumed ? 'warning' : 'ok', message };
  }
  const hasBudget = budget.nanoUsd !== null || budget.nanoUsdPerRow !== null;
  const message = `the ${lane} price of ${model} is unknown${hasBudget ? '; its budget cannot be kept' : ''}; set one in prices.yaml, next to the job file${suggestModel(model)}`;
  return { name: 'price', status: hasBudget ? 'problem' : 'warning', message };
}
