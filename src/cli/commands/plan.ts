import { EXIT, UsageError } from '../../core/errors.ts';
import { planJob } from '../../run/plan/plan.ts';
import type { PlanProblem } from '../../run/plan/plan-result.ts';
import type { RunFlags } from '../flags.ts';
import { renderPlan } from '../render/render-plan.ts';
import { reportFailure } from '../report-failure.ts';
import { makePlanOptions, showRunCommand } from '../run-options.ts';
import { hasColour, print, printJson } from '../say.ts';

/** `rowmill plan`: what a run would do. Exit 2 with every problem when it could not begin; --json has them in `problems`. */
export async function plan(jobFile: string, flags: RunFlags): Promise<number> {
  try {
    const plan = await planJob(makePlanOptions(jobFile, flags));
    if (flags.json === true) printJson(plan);
    else print(renderPlan(plan, showAsPlanned(jobFile, flags), hasColour(process.stdout)));
    return EXIT.done;
  } catch (error) {
    if (flags.json !== true || !(error instanceof UsageError)) throw error;
    printJson({ schema: 'rowmill.plan/1', problems: listProblems(error) });
    return reportFailure(error);
  }
}

/** The run that does what was planned. Unlike what continues a run, it says again what is to be asked again. */
function showAsPlanned(jobFile: string, flags: RunFlags): string {
  return [
    showRunCommand(jobFile, flags),
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
