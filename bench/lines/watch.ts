import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { writeLiveJob } from '../../test/helpers/live-rows.ts';
import { type LiveStage, makeLiveStage } from '../../test/helpers/live-stage.ts';
import type { Bench, Measured } from '../harness/line.ts';
import { COMMAND } from '../harness/measure.ts';
import { CAP_TOKENS, LATENCY_MS } from '../live-jobs.ts';

const WATCHED_MS = 60_000;
/** At this pace the rows outlast the watching. */
const CALLS_PER_MINUTE = 2_400;
const LOOK_MS = 50;
/** The unit of the times in `/proc`: a hundredth of a second on Linux. */
const TICKS_PER_SECOND = 100;

export const bench: Bench = {
  order: 6.6,
  heading: 'Watching',
  introduction: `\`status --watch\` beside a live run that makes ${CALLS_PER_MINUTE} calls a minute, for one minute; its start is included.`,
  rows: { full: 4_000, small: null },
  async measure({ rows }) {
    const stage = await makeLiveStage({ provider: { latencyMs: LATENCY_MS } });
    try {
      await writeLiveJob(stage.folder, { rows, capTokens: CAP_TOKENS, lines: `limits: { rpm: ${CALLS_PER_MINUTE} }\n` });
      let hasEnded = false;
      const running = stage.run(['run', 'job.yaml', '--yes', '--json', '--progress', 'none']).finally(() => {
        hasEnded = true;
      });
      while (!hasEnded && !existsSync(join(stage.folder, '.rowmill'))) await delay(LOOK_MS);
      const measured = await watch(stage);
      if (hasEnded) throw new Error('the run was over before the minute was');
      const { exitCode, stderr } = await running;
      if (exitCode !== 0) throw new Error(`the run ended with ${exitCode}: ${stderr}`);
      const figures = [{ value: measured.cpuSeconds ?? 0, of: 'CPU s in a minute', most: 2 }];
      return [{ what: 'status --watch beside a live run', measured, figures, facts: `${rows} rows` }];
    } finally {
      await stage.end();
    }
  },
};

/** It watches until it is ended, so that its times are read while it still runs. */
async function watch({ folder, providerUrl }: LiveStage): Promise<Measured> {
  const environment = { PATH: process.env.PATH ?? '', HOME: folder, OPENAI_API_KEY: 'sk-bench', ROWMILL_BASE_URL: providerUrl };
  const child = spawn(process.execPath, [COMMAND, 'status', 'job.yaml', '--watch'], {
    cwd: folder,
    env: environment,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ended = once(child, 'exit');
  await delay(WATCHED_MS);
  if (child.exitCode !== null) throw new Error(`status ended with ${child.exitCode}`);
  const stat = readFileSync(`/proc/${child.pid}/stat`, 'latin1');
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
    .map(Number) as [number, number];
  child.kill('SIGINT');
  await ended;
  return { wallSeconds: WATCHED_MS / 1000, cpuSeconds: (user + system) / TICKS_PER_SECOND, peakRssMib: null, facts: {} };
}
