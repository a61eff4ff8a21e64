import type { PlannedEnd } from '../../run/plan/planned-end.ts';

/** The result of one check. */
export interface Finding {
  readonly name:
    | 'node'
    | 'job'
    | 'params'
    | 'notify'
    | 'input'
    | 'output'
    | 'state'
    | 'disk'
    | 'redis'
    | 'key'
    | 'base url'
    | 'proxy'
    | 'models'
    | 'model'
    | 'end'
    | 'price'
    | 'clock';
  readonly status: 'ok' | 'warning' | 'problem';
  readonly message: string;
  /** Of the finding `end`: what the message says. */
  readonly modelEnd?: PlannedEnd;
}
