import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { UsageError } from '../../core/errors.ts';
import type { Job, NotifySpec } from '../../core/job.ts';
import { placeError } from '../../core/problem-path.ts';
import { findInputPlace, type LoadedJob, loadJob } from '../../input/job/load-job.ts';
import { loadPrices } from '../../input/job/load-prices.ts';
import { findParamDoubts } from '../../input/request/param-doubts.ts';
import { bindRequests } from '../../input/requests/render-requests.ts';
import { openTable } from '../../input/table/open-table.ts';
import { hostOfOrigin } from '../../ledger/origin.ts';
import { createFindPrice, type FindPrice } from '../../money/price.ts';
import { findPriceSource } from '../../money/price-source.ts';
import { suggestModel } from '../../money/tier-table.ts';
import { locateStateDirectory } from '../../run/open/target.ts';
import { examineEnd } from './examine-end.ts';
import { examineOutput } from './examine-output.ts';
import { examineProvider, namedModels, type ProviderCheck } from './examine-provider.ts';
import { examineRedis } from './examine-redis.ts';
import { examineTable } from './examine-table.ts';
import type { Finding } from './finding.ts';

export interface DoctorOptions extends ProviderCheck {
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
  /** The Redis that runs would use; absent if they would use none. */
  readonly redisUrl?: string;
  readonly nodeVersion: string;
}

const MIN_NODE = [20, 19] as const;
const GIGABYTE = 1e9;
const LITTLE_DISK_BYTES = 2 * GIGABYTE;
const NO_DISK_BYTES = 0.1 * GIGABYTE;

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
  const { cwd, environmentFiles = [], effects, redisUrl } = options;
  if (job !== null) {
    const files = await examineOutput(job, { cwd, stateDirectory, environmentFiles, now: effects.clock() });
    findings.push(...(files.some(({ name }) => name === 'input') ? [] : await examineTable(job, options)), ...files);
  }
  if (redisUrl !== undefined) findings.push(await examineRedis(redisUrl, effects));
  findings.push(...asked.findings);
  if (job === null) return [...findings, ...asked.leftOut];
  for (const model of namedModels(job)) {
    findings.push(examinePrice({ ...job, model }, findPrice, options.effects.clock()));
    const modelEnd = await examineEnd({ ...job, model }, asked.toldEnd, options);
    if (modelEnd !== null) findings.push({ name: 'end', status: 'warning', message: modelEnd.message, modelEnd });
  }
  return [...findings, ...asked.leftOut];
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
