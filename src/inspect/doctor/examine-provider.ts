import { AppError } from '../../core/errors.ts';
import type { Job } from '../../core/job.ts';
import { listBaseNames } from '../../core/model/base-model.ts';
import { listModels } from '../../core/models/split-by-model.ts';
import { callWithin } from '../../core/timer.ts';
import { formatThings } from '../../core/wording/format-count.ts';
import { suggest } from '../../core/wording/suggest.ts';
import { DEFAULT_BASE_URL, SIMULATOR_ORIGIN } from '../../ledger/origin.ts';
import { ApiError } from '../../openai/api-error.ts';
import { type ModelEnd, makeToldEnd } from '../../openai/model-ends.ts';
import type { Provider } from '../../openai/provider.ts';
import type { RemoteModel } from '../../openai/wire.ts';
import type { Effects } from '../../run/open/effects.ts';
import type { Connection, Target } from '../../run/open/target.ts';
import type { Finding } from './finding.ts';

/** Batches are matched within ten minutes of skew; half of it is a reason to look at the clock. */
const SKEW_WARNING_MS = 300_000;
const SKEW_PROBLEM_MS = 600_000;
const CALL_TIMEOUT_MS = 15_000;

/** What these checks need. */
export interface ProviderCheck {
  readonly target: Target;
  /** The same provider for calls without a key, made if there is none; absent: such checks are left out. */
  readonly keyless?: Pick<Target, 'connect'>;
  /** Where a connection may keep files of its own. */
  readonly temporaryDirectory: string;
  readonly effects: Effects;
  readonly signal: AbortSignal;
}

/** What the provider was asked. */
interface Asked {
  readonly findings: readonly Finding[];
  /** What could not be asked without a key. */
  readonly leftOut: readonly Finding[];
  /** When it ends the job's model; null: it says that it does not; absent: it says nothing. */
  readonly toldEnd?: ModelEnd | null;
}

/** Key, address, model list and clock: the checks that need the provider. */
export async function examineProvider(options: ProviderCheck, job: Job | null): Promise<Asked> {
  const { key, connection } = await connect(options);
  if (connection === null) return { findings: [key], leftOut: [] };
  const { provider, close } = connection;
  try {
    const isDefault = provider.baseUrl === DEFAULT_BASE_URL;
    const { findings, ...told } = await examineModels(provider, job, { ...options, hasKey: key.status === 'ok' });
    const seen: readonly Finding[] = [
      key,
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

/** A connection without a key, if there is none, shows at least whether the provider can be reached. */
async function connect({ target, keyless, temporaryDirectory }: ProviderCheck): Promise<{ key: Finding; connection: Connection | null }> {
  try {
    const connection = await target.connect(temporaryDirectory);
    const message = target.origin === SIMULATOR_ORIGIN ? 'the simulator needs none' : 'there is one';
    return { key: { name: 'key', status: 'ok', message }, connection };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const connection = (await keyless?.connect(temporaryDirectory).catch(() => null)) ?? null;
    return { key: { name: 'key', status: 'problem', message: error.message }, connection };
  }
}

/** The models that are known without reading a table on standard input. */
export function namedModels(job: Job): readonly string[] {
  return listModels(job).filter((model) => model !== '');
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

async function examineModels(provider: Provider, job: Job | null, options: ProviderCheck & { readonly hasKey: boolean }): Promise<Asked> {
  let models: readonly RemoteModel[];
  try {
    models = await callWithin(CALL_TIMEOUT_MS, withTimer(options), (deadline) => provider.listModels(deadline));
  } catch (error) {
    options.signal.throwIfAborted();
    if (!options.hasKey && isAnswer(error)) return { findings: [], leftOut: [leaveOutModels(provider)] };
    const message = error instanceof AppError ? error.message : 'no answer within 15 s';
    return { findings: [{ name: 'models', status: 'problem', message: `the model list cannot be read: ${message}` }], leftOut: [] };
  }
  const findings: Finding[] = [{ name: 'models', status: 'ok', message: `${formatThings(models.length, 'model')}` }];
  if (job === null) return { findings, leftOut: [] };
  const names = models.map(({ id }) => id);
  const asked = namedModels(job);
  for (const model of asked) {
    const isListed = names.includes(model);
    const message = isListed ? `${model} is in the list` : `${model} is not in the list of this key${suggest(model, names)}`;
    findings.push({ name: 'model', status: isListed ? 'ok' : 'problem', message });
  }
  const [model] = asked;
  if (model === undefined || asked.length > 1) return { findings, leftOut: [] };
  const listed = models.find(({ id }) => id === model);
  const told = listed?.endsOn === undefined ? await askForEnd(provider, model, options) : listed.endsOn;
  const endsOn = told === undefined ? models.find(({ id }) => id === listBaseNames(model)[0])?.endsOn : told;
  return { findings, leftOut: [], ...(endsOn === undefined ? {} : { toldEnd: makeToldEnd(model, endsOn) }) };
}

/** Whether the provider answered, if only to refuse. */
function isAnswer(error: unknown): boolean {
  return error instanceof ApiError && error.status !== null;
}

function leaveOutModels({ baseUrl }: Provider): Finding {
  const message = `${new URL(baseUrl).host} answers; left out, because it needs a key: the model list, and whether a job's model is in it`;
  return { name: 'models', status: 'warning', message };
}

/** What an address says about a single model, if its list says nothing. Many servers lack this call. */
async function askForEnd(provider: Provider, model: string, options: ProviderCheck): Promise<RemoteModel['endsOn']> {
  try {
    return (await callWithin(CALL_TIMEOUT_MS, withTimer(options), (deadline) => provider.retrieveModel(model, deadline)))?.endsOn;
  } catch {
    options.signal.throwIfAborted();
    return undefined;
  }
}

function withTimer({ signal, effects: { startTimer } }: ProviderCheck) {
  return { signal, startTimer };
}

/** Compares clocks by the Date header of a response to a request without a key. */
async function examineClock(provider: Provider, options: ProviderCheck): Promise<Finding> {
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
