import type { Endpoint, ImageTemplate, Job, MessageTemplate, NotifySpec, StopSign } from '../../core/job.ts';
import type { InputKeys } from './read-input.ts';

/** A job as accepted by the schema; job-schema.ts documents each key. */
export interface JobSpec {
  readonly name: string;
  readonly description?: string;
  readonly input: InputKeys;
  readonly model?: string;
  readonly endpoint?: Endpoint;
  readonly mode?: Job['mode'];
  readonly prompt?:
    | string
    | {
        readonly system?: string;
        readonly user?: string;
        readonly images?: readonly (string | ImageSpec)[];
        readonly files?: readonly string[];
      };
  readonly messages?: readonly MessageTemplate[];
  readonly output?: unknown;
  readonly labels?: readonly string[] | Readonly<Record<string, string | null>>;
  readonly examples?: {
    readonly path: string;
    readonly input?: Readonly<Record<string, string>>;
    readonly output?: Readonly<Record<string, string>>;
    readonly count?: number;
    readonly seed?: number;
    readonly holdout?: string;
  };
  readonly votes?: number;
  readonly confidence?: 'logprobs';
  readonly params?: Readonly<Record<string, unknown>>;
  readonly limits?: { readonly rpm?: number; readonly tpm?: number; readonly concurrency?: number; readonly enqueued_tokens?: number };
  readonly budget?: { readonly usd?: number; readonly usd_per_row?: number; readonly usd_per_month?: number; readonly usd_total?: number };
  readonly confirm_over?: number;
  readonly retry?: { readonly attempts?: number };
  readonly on_unknown?: Job['onUnknown'];
  readonly dedupe?: boolean;
  readonly write?: {
    readonly path?: string;
    readonly timezone?: string;
    readonly keep?: string | readonly string[];
    readonly prefix?: string;
    readonly excel?: boolean;
    readonly delimiter?: string;
  };
  readonly stop_if?: Readonly<Partial<Record<StopSign, string | number>>>;
  readonly pilot?: number;
  readonly notify?: { readonly url_env: string; readonly form?: NotifySpec['form']; readonly on?: NotifySpec['on'] };
  readonly fail_if?: { readonly failed_rows?: string | number; readonly skipped_rows?: string | number };
}

export interface ImageSpec {
  readonly url: string;
  readonly detail?: ImageTemplate['detail'];
}
