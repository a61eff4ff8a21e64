import type { Bench, BenchLine } from '../harness/line.ts';
import { CAP_TOKENS, CONCURRENCY, LATENCY_MS, measureProcesses, onLiveStage, runLiveJob, sayPerRow } from '../live-jobs.ts';
import type { RunnerEnd, RunnerOptions } from '../live-runner.ts';

const RUNNER = new URL('../live-runner.js', import.meta.url);
const SCRIPT = new URL('../script-part.js', import.meta.url);

export const bench: Bench = {
  order: 5,
  heading: 'Live calls',
  introduction: `Calls to a simulator in another process, which answers after ${LATENCY_MS} ms and whose time is not counted; ${CONCURRENCY} at once. The baseline is a loop over the openai client with p-limit, which keeps nothing on disk.`,
  rows: { full: 20_000, small: 2_000 },
  measure: ({ rows }) =>
    onLiveStage(false, async (stage) => {
      const calls = { baseUrl: stage.providerUrl, rows, concurrency: CONCURRENCY, capTokens: CAP_TOKENS };
      const measuredBare = await measureProcesses(stage, ['loop'], async (env) => {
        await stage.runFile(SCRIPT, calls, env('loop'));
      });
      const measuredLane = await measureProcesses(stage, ['lane'], async (env) => {
        const options: RunnerOptions = { ...calls, promptTokens: 70, requestsPerMinute: null, tokensPerMinute: null };
        const { ok } = await stage.runFile<RunnerEnd>(RUNNER, options, env('lane'));
        if (ok !== rows) throw new Error(`${ok} of ${rows} rows are ok`);
      });
      const measuredRun = await runLiveJob(stage, rows, { withWorker: false });
      const bare: BenchLine = { what: 'the openai client and p-limit', measured: measuredBare, facts: sayPerRow(measuredBare, rows) };
      return [
        bare,
        {
          what: 'the live lane alone: throttle, call, ledger',
          measured: measuredLane,
          against: [{ line: bare, mostCpu: 1.1 }],
          facts: sayPerRow(measuredLane, rows),
        },
        {
          what: 'rowmill run, one process: plan, table, calls, table',
          measured: measuredRun,
          against: [{ line: bare, mostCpu: 1.35 }],
          facts: sayPerRow(measuredRun, rows),
        },
      ];
    }),
};
