import { once } from 'node:events';
import { join } from 'node:path';
import type { SimulatorOptions } from '../../src/simulator/options.ts';
import { startSimulator } from '../../src/simulator/start.ts';

/** A provider in a process of its own: `live-provider.js FOLDER OPTIONS` keeps its books in the folder, prints its base URL, and ends with its stdin. */
const [folder, options] = process.argv.slice(2) as [string, string];
const simulator = await startSimulator({
  stateDirectory: join(folder, 'provider'),
  billFile: join(folder, 'bill.jsonl'),
  traceFile: join(folder, 'trace.jsonl'),
  ...(JSON.parse(options) as SimulatorOptions),
});
process.stdout.write(`${simulator.url}\n`);
await once(process.stdin.resume(), 'end');
await simulator.close();
