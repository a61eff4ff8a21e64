import { UsageError } from '../core/errors.ts';
import type { SimulatorOptions } from '../simulator/options.ts';

/** How the built-in simulator answers, from `ROWMILL_SIMULATE_ANSWERS`, `_NOISE` and `_DEGRADE`. @throws UsageError for an invalid value */
export function readAnswerManner(
  env: Readonly<Record<string, string | undefined>>,
): Pick<SimulatorOptions, 'answers' | 'noise' | 'degrade'> {
  const answers = env.ROWMILL_SIMULATE_ANSWERS || 'lifelike';
  if (answers !== 'lifelike' && answers !== 'plain') throw new UsageError(`ROWMILL_SIMULATE_ANSWERS: lifelike or plain, not "${answers}"`);
  return { answers, noise: readShare(env, 'ROWMILL_SIMULATE_NOISE', 0.5), degrade: readShare(env, 'ROWMILL_SIMULATE_DEGRADE', 1) };
}

function readShare(env: Readonly<Record<string, string | undefined>>, name: string, most: number): number {
  const share = Number(env[name] || '0');
  if (!(share >= 0 && share <= most)) throw new UsageError(`${name}: a share from 0 to ${most}, not "${env[name]}"`);
  return share;
}
