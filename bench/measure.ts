import { spawnSync } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'csv-parse';

/** What one part of a bench took, measured in a process of its own. */
export interface Measured {
  readonly wallSeconds: number;
  /** Null where it is not measured, as for peakRssMib. */
  readonly cpuSeconds: number | null;
  readonly peakRssMib: number | null;
  /** Whatever else the part wants to tell. */
  readonly facts: Readonly<Record<string, number>>;
}

/** Runs one part of a bench file in a fresh process, so that peak memory is its own, and reads the line it prints. */
export function measureInProcess(benchUrl: string, part: string, args: readonly string[]): Measured {
  const child = spawnSync(process.execPath, [fileURLToPath(benchUrl), `--part=${part}`, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (child.status !== 0) throw new Error(`bench part ${part} ended with ${child.status}`);
  return JSON.parse(child.stdout.trim().split('\n').at(-1) as string) as Measured;
}

/**
 * Measures a part between two runs of its baseline: a machine whose speed changes meanwhile would else make the ratio what it likes.
 * @returns the baseline as the mean of its two runs
 */
export function measureBeside<T>(runBaseline: () => Measured, run: () => T): { baseline: Measured; measured: T } {
  const before = runBaseline();
  const measured = run();
  const after = runBaseline();
  const baseline: Measured = {
    wallSeconds: (before.wallSeconds + after.wallSeconds) / 2,
    cpuSeconds: before.cpuSeconds === null || after.cpuSeconds === null ? null : (before.cpuSeconds + after.cpuSeconds) / 2,
    peakRssMib: before.peakRssMib === null || after.peakRssMib === null ? null : Math.max(before.peakRssMib, after.peakRssMib),
    facts: before.facts,
  };
  return { baseline, measured };
}

/** A well-known tool over the same files, for comparison; null where it is not installed. Its memory is not measured. */
export function measureTool(tool: string, args: readonly string[]): Measured | null {
  if (spawnSync(tool, ['--version'], { stdio: 'ignore' }).status !== 0) return null;
  const startedAt = process.hrtime.bigint();
  spawnSync(tool, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const wallSeconds = Number(process.hrtime.bigint() - startedAt) / 1e9;
  return { wallSeconds, cpuSeconds: null, peakRssMib: null, facts: {} };
}

/** Times a part within its own process and prints what `measureInProcess` reads. */
export async function runPart(work: () => Promise<Readonly<Record<string, number>>>): Promise<void> {
  const startedAt = process.hrtime.bigint();
  const facts = await work();
  const { user, system } = process.cpuUsage();
  const measured: Measured = {
    wallSeconds: Number(process.hrtime.bigint() - startedAt) / 1e9,
    cpuSeconds: (user + system) / 1e6,
    peakRssMib: process.resourceUsage().maxRSS / 1024,
    facts,
  };
  process.stdout.write(`${JSON.stringify(measured)}\n`);
}

/** The baseline of every bench over a table: csv-parse and nothing else. */
export async function parseBare(path: string): Promise<Readonly<Record<string, number>>> {
  let rows = 0;
  const parser = createReadStream(path).pipe(parse());
  parser.on('readable', () => {
    while (parser.read() !== null) rows += 1;
  });
  await new Promise((resolve, reject) => parser.on('end', resolve).on('error', reject));
  return { rows: rows - 1 };
}

export function readArgument(name: string): string | undefined {
  return process.argv.find((argument) => argument.startsWith(`--${name}=`))?.slice(name.length + 3);
}
