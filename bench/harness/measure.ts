import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { Measured } from './line.ts';

const PART = fileURLToPath(new URL('./part.js', import.meta.url));
const HOOK = new URL('./usage-hook.js', import.meta.url).href;
const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as { bin: { rowmill: string } };
/** The published command. */
export const COMMAND: string = fileURLToPath(new URL(`../../../${manifest.bin.rowmill}`, import.meta.url));

/** Runs one part of a bench in a new process, so that peak memory is its own, and reads the line it prints. */
export function runPartInProcess(bench: string, part: string, folder: string, rows: number): Measured {
  const child = spawnSync(process.execPath, [PART, bench, part, folder, String(rows)], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (child.status !== 0) throw new Error(`part ${part} of bench ${bench} ended with ${child.status}`);
  return JSON.parse(child.stdout.trim().split('\n').at(-1) as string) as Measured;
}

/** The environment of a Node process that writes the kernel's figures about it to `report` when it ends. */
export function countUsage(report: string): Readonly<Record<string, string>> {
  return { NODE_OPTIONS: `--import ${HOOK}`, BENCH_USAGE: report };
}

/** The resources of such processes together; the memory is that of the largest. */
export function readUsage(reports: readonly string[], wallSeconds: number): Measured {
  const usages = reports.map((report) => JSON.parse(readFileSync(report, 'utf8')) as { cpuSeconds: number; peakRssMib: number });
  for (const report of reports) rmSync(report);
  return {
    wallSeconds,
    cpuSeconds: usages.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
    peakRssMib: Math.max(...usages.map(({ peakRssMib }) => peakRssMib)),
    facts: {},
  };
}

/**
 * Runs the command line to its end; the calling process keeps running, so that it may be the provider.
 * @returns the resources it used, and its output. Throws if it exits with anything but 0
 */
export async function runCommand(
  args: readonly string[],
  { folder, env = {} }: { readonly folder: string; readonly env?: Readonly<Record<string, string>> },
): Promise<{ measured: Measured; stdout: string }> {
  const report = `${folder}/usage-${process.hrtime.bigint()}.json`;
  const startedAt = process.hrtime.bigint();
  const child = spawn(process.execPath, [COMMAND, ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env.PATH ?? '', HOME: folder, OPENAI_API_KEY: 'sk-bench', ...env, ...countUsage(report) },
  });
  const ended = once(child, 'exit');
  const stdout = await text(child.stdout);
  const [status] = await ended;
  if (status !== 0) throw new Error(`rowmill ${args.join(' ')} ended with ${status}`);
  return { measured: readUsage([report], Number(process.hrtime.bigint() - startedAt) / 1e9), stdout };
}

/**
 * Runs a short command repeatedly, once in each folder, timed from outside by the shell: nothing is loaded into it.
 * @returns the mean of one run; user and system time include its children
 */
export function timeStarts(command: readonly string[], folders: readonly string[], env: Readonly<Record<string, string>> = {}): Measured {
  const script = `TIMEFORMAT='%R %U %S'; count=$1; shift; folders=("\${@:1:count}"); shift "$count"
time for folder in "\${folders[@]}"; do (cd "$folder" && exec "$@" >/dev/null) || exit 1; done`;
  const child = spawnSync('bash', ['-c', script, 'bash', String(folders.length), ...folders, ...command], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH ?? '', ...env },
  });
  const times = /([\d.]+) ([\d.]+) ([\d.]+)\s*$/.exec(child.stderr)?.slice(1).map(Number);
  if (child.status !== 0 || times === undefined) throw new Error(`${command.join(' ')} ended with ${child.status}: ${child.stderr}`);
  const [wall = 0, user = 0, system = 0] = times.map((seconds) => seconds / folders.length);
  return { wallSeconds: wall, cpuSeconds: user + system, peakRssMib: null, facts: {} };
}

/**
 * Measures something between two runs of its baseline: otherwise a machine whose speed changes meanwhile would distort the ratio.
 * @returns the baseline as the mean of its two runs; of their memory the less
 */
export async function measureBeside<T>(
  runBaseline: () => Measured | Promise<Measured>,
  run: () => T,
): Promise<{ baseline: Measured; measured: Awaited<T> }> {
  const before = await runBaseline();
  const measured = await run();
  const after = await runBaseline();
  const isCounted = before.cpuSeconds !== null && after.cpuSeconds !== null;
  const baseline: Measured = {
    wallSeconds: (before.wallSeconds + after.wallSeconds) / 2,
    cpuSeconds: isCounted ? (before.cpuSeconds + after.cpuSeconds) / 2 : null,
    peakRssMib: before.peakRssMib === null || after.peakRssMib === null ? null : Math.min(before.peakRssMib, after.peakRssMib),
    facts: before.facts,
  };
  return { baseline, measured };
}
