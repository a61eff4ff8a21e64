import type { Bench, Measured } from './line.ts';

/** One part of a bench in a process of its own: `part.js BENCH PART FOLDER ROWS`. Prints what it took. */

const [name, part = '', folder = '', rows] = process.argv.slice(2);
const { bench } = (await import(`../lines/${name}.js`)) as { bench: Bench };
const work = bench.parts?.[part];
if (work === undefined) throw new Error(`bench ${name} has no part ${part}`);
const startedAt = process.hrtime.bigint();
const facts = await work(folder, Number(rows));
const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
const measured: Measured = {
  wallSeconds: Number(process.hrtime.bigint() - startedAt) / 1e9,
  cpuSeconds: (userCPUTime + systemCPUTime) / 1e6,
  peakRssMib: maxRSS / 1024,
  facts,
};
process.stdout.write(`${JSON.stringify(measured)}\n`);
