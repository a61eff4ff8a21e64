import type { StartTimer } from '../../core/timer.ts';
import type { WaitTeller } from '../../core/waiting/wait-teller.ts';
import type { Provider } from '../../openai/provider.ts';

/** A call without an answer yet. */
export interface PendingCall {
  /** For a person: "the list of batches". */
  readonly what: string;
  readonly sinceMs: number;
}

const SILENCE_MS = 5_000;
/** How long a call is reported as waited for at once; then it has ended, or is reported again. */
const TOLD_MS = 60_000;

type Watched = Exclude<
  { [Name in keyof Provider]: Provider[Name] extends (...given: never[]) => Promise<unknown> ? Name : never }[keyof Provider],
  'callEndpoint' | 'fetch'
>;

/** Live calls are reported by their lane, which knows how long answers take. */
const NAMES: Readonly<Record<Watched, string>> = {
  uploadFile: 'the upload of a file',
  listFiles: 'the list of files',
  retrieveFile: 'a look at a file',
  openContent: 'a download',
  deleteFile: 'the removal of a file',
  createBatch: 'the creation of a batch',
  retrieveBatch: 'a look at a batch',
  listBatches: 'the list of batches',
  cancelBatch: 'the end of a batch',
  listModels: 'the list of models',
  retrieveModel: 'a look at the model',
};

/** A provider that reports its calls while they have no answer. */
export interface WatchedProvider extends Provider {
  /** The oldest of them; null if none is in flight. */
  readonly pending: PendingCall | null;
}

export function watchProvider(
  provider: Provider,
  { waits, monotonicMs, startTimer }: { readonly waits: WaitTeller; readonly monotonicMs: () => number; readonly startTimer: StartTimer },
): WatchedProvider {
  const pending = new Set<PendingCall>();
  const { host } = new URL(provider.baseUrl);

  function watch<Given extends unknown[], Answer>(what: string, send: (...given: Given) => Promise<Answer>) {
    return async (...given: Given): Promise<Answer> => {
      const call = { what, sinceMs: monotonicMs() };
      const name = `${what} at ${call.sinceMs}`;
      let stopTimer = () => {};
      const tellAt = (milliseconds: number) => {
        stopTimer = startTimer(milliseconds, () => {
          const passedMs = monotonicMs() - call.sinceMs;
          waits.begin({
            name,
            milliseconds: TOLD_MS,
            passedMs,
            // A large file on a slow line takes minutes to send: that is not silence.
            describe: ({ since }) =>
              what === NAMES.uploadFile
                ? `${what} to ${host} has been in progress since ${since}`
                : `${host} has not answered since ${since}: ${what}`,
          });
          tellAt(TOLD_MS);
        });
      };
      pending.add(call);
      tellAt(SILENCE_MS);
      try {
        return await send(...given);
      } finally {
        stopTimer();
        waits.end(name);
        pending.delete(call);
      }
    };
  }

  const watched = Object.fromEntries(
    Object.entries(NAMES).map(([name, what]) => [
      name,
      watch(what, provider[name as Watched] as (...given: unknown[]) => Promise<unknown>),
    ]),
  );
  return Object.defineProperty({ ...provider, ...watched } as WatchedProvider, 'pending', { get: () => [...pending][0] ?? null });
}
