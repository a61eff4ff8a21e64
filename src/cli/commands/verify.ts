import { relative } from 'node:path';
import { AppError, EXIT, type ExitCode, UsageError } from '../../core/errors.ts';
import { type Verification, verifyState } from '../../inspect/verify/verify.ts';
import { escapeLineForTerminal } from '../../output/escape-for-terminal.ts';
import { formatThings } from '../../output/format-numbers.ts';
import { findAsked } from '../find-jobs.ts';
import { isFolder } from '../job-argument.ts';
import type { JobFlags } from '../options/flags.ts';
import { makeReadOptions } from '../read-options.ts';
import { createPaint } from '../render/paint.ts';
import { hasColour, print, printJson, say } from '../say.ts';

export interface VerifyFlags extends JobFlags {
  /** A folder: every job below it that has been run. */
  readonly all?: string;
}

/** `rowmill verify JOB`: one line per check; exit 1 when one fails. For all jobs below a folder, one line each. */
export async function verify(argument: string | undefined, flags: VerifyFlags): Promise<number> {
  if (flags.all !== undefined) {
    if (argument !== undefined || flags.input !== undefined)
      throw new UsageError('--all checks every job below a folder with its own table: do not pass a job or --input with it');
    if (!isFolder(flags.all)) throw new UsageError(`--all: ${flags.all} is not a folder`);
  }
  const { jobs, isList } = await findAsked('verify', argument ?? flags.all, flags);
  if (isList) return verifyAll(jobs, flags);
  const [jobFile = ''] = jobs;
  const verification = await verifyState(makeReadOptions(jobFile, flags));
  if (flags.json === true) printJson(verification);
  else for (const { name, status, detail } of verification.checks) print(showLine(status, `${name.padEnd(15)}  ${detail}`));
  say(`${verification.ok ? 'Verified' : 'NOT verified'}: ${verification.state}${verification.simulated ? ' (simulated)' : ''}`);
  return verification.ok ? EXIT.done : EXIT.bug;
}

/** One job of many, or why it could not be checked. */
interface Verified {
  readonly file: string;
  readonly verification: Verification | null;
  readonly error: AppError | null;
}

/** A job that cannot be checked does not hide the others. The exit code is the worst: 1 if a check failed, else the highest. */
async function verifyAll(files: readonly string[], flags: VerifyFlags): Promise<number> {
  const all: Verified[] = [];
  for (const file of files) {
    const one = await verifyOne(file, flags);
    all.push(one);
    if (flags.json !== true) print(showJob(one));
  }
  if (flags.json === true) {
    const jobs = all.map(({ file, verification, error }) => ({
      file,
      ...(verification ?? { ok: false, exitCode: error?.exitCode, message: error?.message }),
    }));
    printJson({ schema: 'rowmill.verify/1', ok: all.every(isOk), jobs });
  }
  const bad = all.filter((one) => !isOk(one)).length;
  say(bad === 0 ? `Verified: ${formatThings(all.length, 'job')}` : `NOT verified: ${bad} of ${formatThings(all.length, 'job')}`);
  return findWorst(all.map(readExitCode));
}

async function verifyOne(path: string, flags: VerifyFlags): Promise<Verified> {
  const file = relative(process.cwd(), path) || path;
  try {
    return { file, verification: await verifyState(makeReadOptions(path, flags)), error: null };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { file, verification: null, error };
  }
}

function isOk({ verification }: Verified): boolean {
  return verification?.ok === true;
}

function readExitCode({ verification, error }: Verified): ExitCode {
  if (verification === null) return error?.exitCode ?? EXIT.bug;
  return verification.ok ? EXIT.done : EXIT.bug;
}

function findWorst(codes: readonly ExitCode[]): number {
  return codes.includes(EXIT.bug) ? EXIT.bug : Math.max(...codes);
}

function showJob({ file, verification, error }: Verified): string {
  if (verification === null) return showLine('failed', `${file}  ${error?.message.split('\n')[0] ?? ''}`);
  const { checks, ok, run, simulated } = verification;
  const failed = checks.filter(({ status }) => status === 'failed').map(({ name, detail }) => `${name}: ${detail}`);
  const isPartial = checks.some(({ name, status }) => name === 'rows' && status === 'skipped');
  const about = `${run === null ? 'no run has kept a summary' : `run ${run}`}${simulated ? ', simulated' : ''}${isPartial ? '; only files and usage: the rest needs the job file' : ''}`;
  return showLine(ok ? 'ok' : 'failed', `${file}  ${ok ? about : failed.join('; ')}`);
}

function showLine(status: 'ok' | 'failed' | 'skipped', text: string): string {
  const paint = createPaint(hasColour(process.stdout));
  const word = status === 'failed' ? paint('red', 'FAILED ') : status === 'ok' ? paint('green', 'ok     ') : paint('dim', 'skipped');
  return `${word}  ${escapeLineForTerminal(text)}`;
}
