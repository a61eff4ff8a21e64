import type { Job } from '../../core/job.ts';
import type { PreparedJob } from '../../run/open/prepared-job.ts';
import type { NoticeTeller, NoticeTellerOptions, RunEnd } from './tell-notices.ts';

type NotifyingJob = NoticeTellerOptions['job'];

export interface RunNoticesOptions extends Pick<NoticeTellerOptions, 'isSimulated' | 'warn' | 'commands' | 'place'> {
  /** For a run refused before its table was read: its job, and the location of its state; throws if the job cannot be read either. */
  readonly findRefused: () => Promise<{ readonly job: NotifyingJob; readonly stateDirectory: string }>;
}

/** Reports a run to a webhook, if its job has one: otherwise nothing is loaded. */
export interface RunNotices {
  /** Called when job and table are known. */
  begin(prepared: Pick<PreparedJob, 'compiled' | 'stateDirectory'>): void;
  /** Called once the run is over, its lock released and everything printed. Never throws. */
  end(ended: RunEnd): Promise<void>;
}

export function createRunNotices({ findRefused, ...options }: RunNoticesOptions): RunNotices {
  let teller: Promise<NoticeTeller> | null = null;

  async function open(job: Pick<Job, 'name' | 'notify'>, stateDirectory: string): Promise<NoticeTeller> {
    const { createNoticeTeller } = await import('./tell-notices.ts');
    return createNoticeTeller({ ...options, job, stateDirectory, clock: () => new Date() });
  }

  return {
    begin({ compiled, stateDirectory }) {
      if (compiled.job.notify === null) return;
      teller = open(compiled.job, stateDirectory);
      teller.then((ready) => ready.begin()).catch(() => {});
    },
    async end(ended) {
      try {
        const ready = teller === null && 'error' in ended ? await openForRefused() : await teller;
        await ready?.end(ended);
      } catch (fault) {
        // Whatever it is, the run is over, and its exit code stands.
        options.warn(`notify: nothing could be posted (${(fault as NodeJS.ErrnoException).code ?? (fault as Error).name})`);
      }
    },
  };

  /** Null if the job has no webhook, or cannot be read. */
  async function openForRefused(): Promise<NoticeTeller | null> {
    try {
      const { job, stateDirectory } = await findRefused();
      return job.notify === null ? null : await open(job, stateDirectory);
    } catch {
      return null;
    }
  }
}
