import { writeFileSync } from 'node:fs';

/** Preloaded into a measured process: writes the kernel's figures about it to the file named by BENCH_USAGE. */
process.on('exit', () => {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  const report = process.env.BENCH_USAGE;
  if (report !== undefined)
    writeFileSync(report, JSON.stringify({ peakRssMib: maxRSS / 1024, cpuSeconds: (userCPUTime + systemCPUTime) / 1e6 }));
});
