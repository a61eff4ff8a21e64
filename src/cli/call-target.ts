import { makeTarget } from '../host/provider-target.ts';
import type { Target } from '../run/open/target.ts';
import { expectCalls } from './engine.ts';

/** The provider named by the flags, as for `makeTarget`; prepares V8 before the first call to another process. */
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
