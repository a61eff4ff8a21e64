import { makeTarget } from '../host/provider-target.ts';
import type { Target } from '../run/open/target.ts';
import { expectCalls } from './engine.ts';

/** Whom the flags name, as `makeTarget` says; V8 is told before the first call leaves for another process. */
export function makeCallTarget(...[flags, effects]: Parameters<typeof makeTarget>): Target {
  const target = makeTarget(flags, effects);
  if (flags.simulate === true) return target;
  return {
    ...target,
    async connect(...given) {
      await expectCalls();
      return target.connect(...given);
    },
  };
}
