/** Names of several jobs in a list: jobs with the same name are told apart by their files, relative to the working directory. */
export function nameJobs(jobs: readonly { readonly job: string; readonly file: string }[]): readonly string[] {
  const names = jobs.map(({ job }) => job);
  return jobs.map(({ job, file }) => (names.indexOf(job) === names.lastIndexOf(job) ? job : file));
}
