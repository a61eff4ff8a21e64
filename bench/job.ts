import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { writeBenchJob } from './bench-job.ts';
import { type Measured, measureBeside, measureInProcess, readArgument, runPart } from './measure.ts';
import { runPlainScript } from './plain-script.ts';
import { printLines } from './result.ts';
import { generateTable } from './table-generator.ts';

/** One whole job through the command line, against a plain script that does the same with the client alone; the provider is another process. */

const HOOK = new URL('./usage-hook.js', import.meta.url).href;
const COMMAND = fileURLToPath(new URL('../bundle/main.js', import.meta.url));

/** Starts the simulator and gives its base URL. */
async function startProvider(folder: string): Promise<{ url: string; stop(): void }> {
  const child = spawn(process.execPath, [COMMAND, 'simulate', '--port', '0', '--state', join(folder, 'provider'), '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return { url: JSON.parse(line).url, stop: () => child.kill() };
}

/** Runs the command line in a process of its own and reads what the kernel counted for it. */
function runCommand(folder: string, url: string): Measured {
  const report = join(folder, 'usage.json');
  const startedAt = process.hrtime.bigint();
  const args = ['--import', HOOK, COMMAND, 'run', join(folder, 'job.yaml'), '--base-url', url, '--yes', '--json', '--progress', 'none'];
  const env = { ...process.env, OPENAI_API_KEY: 'sk-bench', BENCH_USAGE: report };
  const child = spawnSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], env });
  if (child.status !== 0) throw new Error(`the job ended with ${child.status}`);
  const wallSeconds = Number(process.hrtime.bigint() - startedAt) / 1e9;
  const usage = JSON.parse(readFileSync(report, 'utf8')) as Pick<Measured, 'cpuSeconds' | 'peakRssMib'>;
  return { wallSeconds, ...usage, facts: { rows: JSON.parse(child.stdout).rows.ok } };
}

const folder = readArgument('folder') ?? mkdtempSync(join(tmpdir(), 'rowmill-bench-'));
if (readArgument('part') === 'plain') await runPart(() => runPlainScript(folder, readArgument('url') ?? ''));
else {
  await generateTable(join(folder, 'table.csv'), Number(readArgument('rows') ?? 200_000));
  writeBenchJob(folder);
  const provider = await startProvider(folder);
  try {
    const { baseline: plain, measured: job } = measureBeside(
      () => measureInProcess(import.meta.url, 'plain', [`--folder=${folder}`, `--url=${provider.url}`]),
      () => runCommand(folder, provider.url),
    );
    printLines([
      {
        what: 'a plain script with the client: chunk, submit, wait, join, write',
        measured: plain,
        ratio: null,
        rssLimitMib: null,
        facts: `${plain.facts.rows} rows`,
      },
      {
        what: 'the same table as one job of rowmill',
        measured: job,
        ratio: { value: (job.cpuSeconds ?? 0) / (plain.cpuSeconds ?? 1), of: 'cpu', limit: 2 },
        rssLimitMib: 300,
        facts: `${job.facts.rows} rows ok`,
      },
    ]);
  } finally {
    provider.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
