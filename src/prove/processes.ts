import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { type Life, type LifeEnd, type LifeOptions, NO_REPORT, STUCK_MS } from './life.ts';
import type { SeamReport } from './seam/plan.ts';
import { SHORT_LIVED } from './short-lived.ts';

const SEAM = new URL('./seam/seam.js', import.meta.url);
const LOOK_MS = 10;

/** Runs the command as a separate process that receives real signals. @param program the path of its main module */
export function startProcess(program: string, { args, env, plan }: LifeOptions): Life {
  const child = spawn(process.execPath, [...SHORT_LIVED, `--import=${SEAM.href}`, program, ...args], {
    env: { ...env, ROWMILL_PROVE_SEAM: JSON.stringify(plan) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let isStuck = false;
  const tooLong = setTimeout(() => {
    isStuck = true;
    child.kill('SIGKILL');
  }, STUCK_MS);
  const said = { stdout: gather(child.stdout), stderr: gather(child.stderr) };
  const ended = new Promise<LifeEnd>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode) => {
      clearTimeout(tooLong);
      resolve({ exitCode, stdout: said.stdout(), stderr: said.stderr(), report: readReport(plan.reportPath), isStuck });
    });
  });
  return {
    ended,
    frozen: waitUntilStopped(child.pid ?? 0, ended),
    wake: () => child.kill('SIGCONT'),
    kill: () => child.kill('SIGKILL'),
  };
}

function readReport(file: string | undefined): SeamReport {
  if (file === undefined || !fs.existsSync(file)) return NO_REPORT;
  return JSON.parse(fs.readFileSync(file, 'utf8')) as SeamReport;
}

/** A process that stopped itself sends no message: its state shows it. */
async function waitUntilStopped(pid: number, ended: Promise<unknown>): Promise<boolean> {
  let isOver = false;
  const over = () => {
    isOver = true;
  };
  ended.then(over, over);
  while (!isOver) {
    const stat = await fs.promises.readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    if (stat.slice(stat.lastIndexOf(')')).startsWith(') T ')) return true;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  return false;
}

/** @returns a function that returns the output so far */
function gather(stream: NodeJS.ReadableStream): () => string {
  let text = '';
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  return () => text;
}
