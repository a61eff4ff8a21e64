import { NOTICE_EVENTS, type NotifySpec } from '../../core/job.ts';
import type { JobSpec } from './job-spec.ts';
import type { PathProblem } from './output-shorthand.ts';

const AT = ['notify', 'url_env'];

/** Who is notified about a run. An address in place of a variable's name is not repeated in the message: whoever knows it can post there. */
export function readNotify(notify: JobSpec['notify'], problems: PathProblem[]): NotifySpec | null {
  if (notify === undefined) return null;
  const { url_env: urlEnv, form = 'json', on = NOTICE_EVENTS.filter((event) => event !== 'done') } = notify;
  const wanted = 'notify.url_env: must be the name of an environment variable';
  if (urlEnv?.includes('://')) problems.push({ path: AT, message: `${wanted} that holds the address, not the address itself` });
  else if (urlEnv !== undefined && !/^[A-Za-z_][A-Za-z0-9_]*$/.test(urlEnv))
    problems.push({ path: AT, message: `${wanted}, for example SLACK_WEBHOOK` });
  return { urlEnv, form, on };
}
