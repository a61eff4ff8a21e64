import type { Mode } from '../../core/job.ts';

/** The flags of every command with a job, named as in commander. */
export interface JobFlags {
  readonly input?: string;
  readonly stateDir?: string;
  readonly baseUrl?: string;
  readonly simulate?: boolean;
  readonly json?: boolean;
}

/** The question for a table without a job file: flags of `init`, `plan` and `run`. */
export interface TableFlags {
  readonly prompt?: string;
  /** Fields, or `text`, as typed. */
  readonly output?: readonly string[];
  readonly labels?: readonly string[];
  readonly model?: string;
}

/** The flags of `run`, `retry` and `plan`. */
export interface RunFlags extends JobFlags {
  readonly mode?: Mode;
  readonly out?: string;
  readonly limit?: number;
  readonly sample?: number;
  readonly seed: number;
  readonly maxUsd?: number;
  readonly yes?: boolean;
  /** False for `--no-wait`, true without either, milliseconds for `--wait 6h`. */
  readonly wait: boolean | number;
  /** Milliseconds. */
  readonly deadline?: number;
  readonly maxLiveUsd?: number;
  readonly ifRunning: 'fail' | 'skip' | 'wait';
  readonly progress: 'auto' | 'plain' | 'none';
  /** Milliseconds after the failure. */
  readonly looks: readonly number[];
  /** Milliseconds. */
  readonly pollMax: number;
  readonly redis?: string;
  readonly priceAsOf?: string;
  readonly adoptCopy?: boolean;
  readonly metrics?: string;
  readonly fresh?: boolean;
  readonly retryFailed?: boolean;
  /** How many prompts `plan` shows in full. */
  readonly prompts?: number;
}

export interface SimulateFlags {
  readonly port: number;
  readonly state?: string;
  readonly bill?: string;
  readonly trace?: string;
  readonly faults?: string;
  readonly seed: number;
  readonly answers?: 'lifelike' | 'plain';
  readonly noise?: number;
  readonly degrade?: number;
  readonly batchSeconds?: number;
  readonly latency?: number;
  readonly rpm?: number;
  readonly tpm?: number;
  readonly enqueuedTokens?: number;
  readonly json?: boolean;
}

export interface WorkerFlags {
  readonly redis?: string;
  readonly concurrency: number;
  readonly metricsPort?: number;
}
