import { whyNoRedisServer } from '../../test/helpers/redis-server.ts';
import type { Bench } from '../harness/line.ts';
import { BURST_SECONDS, COLUMNS, LIMITS, passJob, passScript, passTogether, TAIL_SECONDS, WARM_UP_SECONDS } from '../live-limits.ts';

export const bench: Bench = {
  order: 0.1,
  heading: 'Limits of the live lane',
  introduction: `In real time; simulator, Redis, run and workers are separate processes. The provider allows ${LIMITS.requestsPerMinute} requests and ${LIMITS.tokensPerMinute} tokens a minute, charged by actual usage, with bursts of ${BURST_SECONDS} s; its median latency is 400 ms (log-normal), and 1 % of the calls get a 500. A call reserves three times the tokens it uses.
Everything but the time to a run's first call is read from the provider's books. The use of the limit is that of the steady part: from ${WARM_UP_SECONDS} s after the first call to ${TAIL_SECONDS} s before the last one. The fullest minute is the fullest of all windows of 60 s.
The last two lines are the script most people write: the openai client with its own retries, and p-limit; nothing is promised of them. With 50 calls at once its retries give up within half a minute, so its steady part is only a few seconds, and its shares mean little.`,
  rows: { full: 4_000, small: null },
  columns: COLUMNS,
  measure({ rows }) {
    const missing = whyNoRedisServer();
    if (missing !== false) throw new Error(missing);
    const ours = [
      { what: 'rowmill run, one process', workers: 0 },
      { what: 'rowmill run and 1 worker', workers: 1 },
      { what: 'rowmill run and 2 workers', workers: 2 },
      { what: 'rowmill run and 4 workers', workers: 4 },
    ].map(
      ({ what, workers }) =>
        () =>
          passJob(what, { rows, workers, charging: 'actual' }),
    );
    const scripts = [10, 50].map((abreast) => () => passScript(`the client and p-limit(${abreast})`, rows, abreast));
    return passTogether([...ours, ...scripts]);
  },
};
