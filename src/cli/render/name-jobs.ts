/** What several jobs are called in a list: those that share a name are told apart by their files, as seen from the working directory. */
export function nameJobs(jobs: readonly { readonly job: string; readonly file: string }[]): readonly string[] {
  const names = jobs.map(({ job }) => job);
  return jobs.map(({ job, file }) => (names.indexOf(job) === names.lastIndexOf(job) ? job : file));
}
