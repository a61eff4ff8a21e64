import type { PlanLook } from '../../src/cli/render/render-plan.ts';

/** A plan as it is shown with nothing beside it. */
export const PLAIN_LOOK: PlanLook = {
  command: 'rowmill run job.yaml',
  first: null,
  showWhole: 'rowmill plan job.yaml --prompts 1',
  guesses: [],
  asked: { isFresh: false, selection: { type: 'all' } },
  colour: false,
};
