import { isTimezone } from '../../core/day.ts';
import type { DatedPath } from '../../core/job.ts';

const RUN_DATE = /\{\{-?\s*run\.date\s*-?\}\}/g;
const ANY_TEMPLATE = /\{[{%]/;

/** The parts of `write.path` and `write.timezone` that depend on the day of a run. */
export interface DatedPathReading {
  /** Null if the path contains no day. */
  readonly dated: Omit<DatedPath, 'date'> | null;
  readonly problems: readonly { readonly path: readonly string[]; readonly message: string }[];
}

/** @param template the path as written, absolute */
export function readDatedPath(template: string, timezone: string | undefined): DatedPathReading {
  const problems: DatedPathReading['problems'][number][] = [];
  const isDated = template.search(RUN_DATE) !== -1;
  if (ANY_TEMPLATE.test(template.replaceAll(RUN_DATE, '')))
    problems.push({
      path: ['write', 'path'],
      message: 'write.path: only {{ run.date }}, the day of the run, can be used here, and no column',
    });
  if (timezone !== undefined && !isTimezone(timezone)) {
    const message = `write.timezone: must be the name of a time zone, for example Europe/Berlin, not ${JSON.stringify(timezone)}`;
    problems.push({ path: ['write', 'timezone'], message });
  }
  if (timezone !== undefined && !isDated)
    problems.push({
      path: ['write', 'timezone'],
      message: 'write.timezone: sets the day of {{ run.date }}, which write.path does not use',
    });
  return { dated: isDated ? { template, timezone: timezone ?? null } : null, problems };
}

/** The path for one day. */
export function putDate(template: string, date: string): string {
  return template.replaceAll(RUN_DATE, date);
}
