import type { Job } from '../../core/job.ts';
import { readJob } from '../../input/job/make-job.ts';
import { readYaml } from '../../input/yaml/yaml-source.ts';

/** The job stored by a run; null if it can no longer be read. */
export function readKeptJob(text: string, directory: string): Job | null {
  const { value, source, problems } = readYaml(text, 'job.yaml');
  return problems.length > 0 ? null : readJob(value, { source, directory, file: null, text }).job;
}
