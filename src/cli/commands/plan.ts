import { basename, resolve } from 'node:path';
import { EXIT, UsageError } from '../../core/errors.ts';
import { showFile } from '../../input/table/find-files.ts';
import { type PlanOptions, planJob } from '../../run/plan/plan.ts';
import type { Plan, PlanProblem } from '../../run/plan/plan-result.ts';
import { blameFlags, checkFolder, describeGuesses } from '../draft-file.ts';
import type { RunFlags, TableFlags } from '../options/flags.ts';
import { type PlanLook, renderPlan } from '../render/render-plan.ts';
import { reportFailure } from '../report-failure.ts';
import { changeFlags, makePlanOptions, makeSelection, showCommand, showRunCommand } from '../run-options.ts';
import { hasColour, print, printJson } from '../say.ts';
import { loadDraft, resolveJob, showAsked, type TableDraft } from '../table-job.ts';

/** `rowmill plan`: what a run would do. Exit 2 with every problem if it could not start; --json has them in `problems`. */
export async function plan(argument: string, flags: RunFlags & TableFlags): Promise<number> {
  try {
    const { jobFile, draft } = await resolveJob('plan', argument, flags);
    const options = makePlanOptions(jobFile, flags);
    const plan = draft === null ? await planJob(options) : await planDraft(draft, argument, flags, options);
    if (flags.json === true) printJson(plan);
    else print(renderPlan(plan, makeLook(plan, { argument, jobFile, draft, flags })));
    return EXIT.done;
  } catch (error) {
    if (flags.json !== true || !(error instanceof UsageError)) throw error;
    printJson({ schema: 'rowmill.plan/1', problems: listProblems(error) });
    return reportFailure(error);
  }
}

/** For a table whose job file is not written: plan does not write it. */
async function planDraft(draft: TableDraft, table: string, flags: RunFlags & TableFlags, options: PlanOptions): Promise<Plan> {
  try {
    await checkFolder(draft, table, showCommand('plan', basename(table), flags) + showAsked(flags));
    return await planJob({ ...options, jobFile: await loadDraft(draft, flags) });
  } catch (error) {
    throw error instanceof UsageError ? blameFlags(error) : error;
  }
}

interface Planned {
  readonly argument: string;
  readonly jobFile: string;
  readonly draft: TableDraft | null;
  readonly flags: RunFlags & TableFlags;
}

function makeLook({ closestModel: closest, budget }: Plan, { argument, jobFile, draft, flags }: Planned): PlanLook {
  const isDraft = draft !== null;
  const named = isDraft ? argument : jobFile;
  const meant = isDraft && closest !== undefined ? { ...flags, model: closest } : flags;
  const file = showFile(resolve(jobFile), process.cwd());
  return {
    // With a budget that sends nothing the run would stop at once.
    command: showAsPlanned(named, budget?.requestsAtATime === 0 ? changeFlags(meant, { maxNanoUsd: budget.enoughNanoUsd }) : meant),
    first: isDraft || closest === undefined ? null : `First, in ${file}: model: ${closest}`,
    showWhole: `${showCommand('plan', named, meant)}${showAsked(meant)} --prompts 1`,
    asked: { isFresh: flags.fresh === true, selection: makeSelection(flags) },
    guesses: draft === null ? [] : describeGuesses(draft),
    colour: hasColour(process.stdout),
  };
}

/** The command that runs what was planned. Unlike the one that continues a run, it repeats flags such as --fresh. */
function showAsPlanned(jobFile: string, flags: RunFlags & TableFlags): string {
  return [
    showRunCommand(jobFile, flags) + showAsked(flags),
    ...(flags.fresh === true ? ['--fresh'] : []),
    ...(flags.retryFailed === true ? ['--retry-failed'] : []),
  ].join(' ');
}

function listProblems({ problems }: UsageError): readonly PlanProblem[] {
  return problems.map(({ place, message }) => ({
    severity: 'error',
    file: place?.file ?? null,
    line: place?.line ?? null,
    column: place?.column ?? null,
    message,
  }));
}
