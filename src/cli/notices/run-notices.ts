import type { Job } from '../../core/job.ts';
import type { NoticeTeller } from '../../host/notices/tell-notices.ts';
import { makeTargetOrigin } from '../../host/provider-target.ts';
import { loadJob } from '../../input/job/load-job.ts';
import type { PreparedJob } from '../../run/open/prepared-job.ts';
import { locateStateDirectory } from '../../run/open/target.ts';
import type { RunFlags } from '../options/flags.ts';
import { showCommand, showRunCommand } from '../run-options.ts';

/** What `run` and `retry` tell a webhook of, where the job has one: nothing is loaded where it has none. */
export interface RunNotices {
  /** Called when job and table are known. */
  begin(prepared: Pick<PreparedJob, 'compiled' | 'stateDirectory'>): void;
  /** Called once the run is over, its lock given back and everything said. @param error what it threw */
  end(error: unknown): Promise<void>;
}

export function createRunNotices(jobFile: string, flags: RunFlags, warn: (message: string) => void): RunNotices {
  let teller: Promise<NoticeTeller> | null = null;

  async function open(job: Pick<Job, 'name' | 'notify'>, stateDirectory: string): Promise<NoticeTeller> {
    const { createNoticeTeller } = await import('../../host/notices/tell-notices.ts');
    return createNoticeTeller({
      job,
      stateDirectory,
      isSimulated: flags.simulate === true,
      clock: () => new Date(),
      warn,
      commands: {
        continue: showRunCommand(jobFile, flags),
        failures: showCommand('failures', jobFile, flags),
        report: showCommand('report', jobFile, flags),
      },
    });
  }

  return {
    begin({ compiled, stateDirectory }) {
      if (compiled.job.notify === null) return;
      teller = open(compiled.job, stateDirectory);
      teller.then((ready) => ready.begin()).catch(() => {});
    },
    async end(error) {
      try {
        const ready = teller === null && error !== null ? await openForRefused() : await teller;
        await ready?.end(error);
      } catch (fault) {
        // Whatever it is, the run is over, and its exit code stands.
        warn(`notify: nobody could be told (${(fault as NodeJS.ErrnoException).code ?? (fault as Error).name})`);
      }
    },
  };

  /** A run that was refused before its table was read; null where its job tells nobody, or cannot be read. */
  async function openForRefused(): Promise<NoticeTeller | null> {
    try {
      const { job } = await loadJob(jobFile, { cwd: process.cwd() });
      return job.notify === null ? null : await open(job, locateStateDirectory(job, makeTargetOrigin(flags), flags.stateDir ?? null));
    } catch {
      return null;
    }
  }
}
