import { existsSync, readFileSync } from 'node:fs';
import { makeFolders } from '../../core/disk/make-folders.ts';
import { suggestFile } from '../../core/disk/suggest-file.ts';
import { EXIT, UsageError } from '../../core/errors.ts';
import { suggest } from '../../core/wording/suggest.ts';
import { FaultPlanError } from '../../simulator/faults/fault-plan-error.ts';
import { readFaultPlan } from '../../simulator/faults/fault-plan-reader.ts';
import { type Simulator, startSimulator } from '../../simulator/start.ts';
import type { SimulateFlags } from '../options/flags.ts';
import { print, printJson, say } from '../say.ts';

/** `rowmill simulate`: runs the local server until it is interrupted. */
export async function simulate(flags: SimulateFlags): Promise<number> {
  const faults = flags.faults === undefined ? null : readFaults(flags.faults);
  const ended = waitForSignal();
  const simulator = await start(flags, faults);
  if (flags.json === true) printJson({ schema: 'rowmill.simulate/1', url: simulator.url, port: simulator.port });
  else {
    print(simulator.url);
    const keys = `Any key is accepted${faults === null ? '' : ', unless the faults refuse it'}`;
    say(`Simulated: answers are made up, no model is called, nothing is billed. ${keys}. Use it from another terminal:`);
    say(`  OPENAI_API_KEY=sk-simulator rowmill run JOB --base-url ${simulator.url}`);
    say(`  OPENAI_API_KEY=sk-simulator OPENAI_BASE_URL=${simulator.url} your-own-program`);
    say('Ctrl-C ends it.');
  }
  await ended;
  await simulator.close();
  return EXIT.done;
}

async function start(flags: SimulateFlags, faults: unknown): Promise<Simulator> {
  try {
    if (flags.state !== undefined) makeFolders(flags.state, 0o700);
    return await startSimulator({
      port: flags.port,
      stateDirectory: flags.state,
      billFile: flags.bill,
      traceFile: flags.trace,
      faults,
      seed: flags.seed,
      answers: flags.answers,
      noise: flags.noise,
      degrade: flags.degrade,
      batchSeconds: flags.batchSeconds,
      latencyMs: flags.latency,
      requestsPerMinute: flags.rpm,
      tokensPerMinute: flags.tpm,
      enqueuedTokens: flags.enqueuedTokens,
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw new UsageError(`port ${flags.port} is in use; --port 0 takes a free one`, { cause: error });
  }
}

/** A validated fault plan: an error names the place in it. */
export function readFaults(file: string): unknown {
  if (!existsSync(file)) throw new UsageError(`--faults ${file}: no such file${suggestFile(file)}`);
  try {
    const plan: unknown = JSON.parse(readFileSync(file, 'utf8'));
    readFaultPlan(plan);
    return plan;
  } catch (error) {
    const slip = error instanceof FaultPlanError ? error.slip : null;
    const meant = slip === null ? '' : suggest(slip.word, slip.allowed);
    throw new UsageError(`--faults ${file}: ${(error as Error).message}${meant}`, { cause: error });
  }
}

function waitForSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => resolve());
  });
}
