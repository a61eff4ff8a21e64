import type { AnswerFaultRequest } from './answer-faults.ts';
import type { WireBody } from './prompt.ts';
import type { CacheUse } from './prompt-cache.ts';

/** How answers are made: from the words of the row, as a reader would (`lifelike`), or with minimal effort (`plain`). */
export type AnswerStyle = 'lifelike' | 'plain';

/** How answers are made, and how often they are not the best. */
export interface AnswerManner {
  readonly style: AnswerStyle;
  /** The share of prompts that get two different answers when they are sent twice; 0 to 0.5. */
  readonly noise: number;
  /** The share of prompts that never get the best answer. */
  readonly degrade: number;
}

/** The context in which one request is answered. */
export interface AnswerContext {
  /** The simulator's seed and the request's hash as one string. */
  readonly drawSeed: string;
  /** The end of the answer's id; equal requests under one custom_id get equal ids, so that tables of two runs can be compared. */
  readonly idDigits: string;
  readonly manner: AnswerManner;
  /** Identifies the occasion among all on which the same is asked: noise is drawn by it. */
  readonly occasion: string;
  readonly createdAtSeconds: number;
  readonly fault?: AnswerFaultRequest | undefined;
  /** The cache reads and writes of a request to a model that charges for cache writes. */
  readonly useCache: (body: WireBody) => CacheUse;
}

/** An answered request: always 200, and billed unless it says otherwise. */
export interface Answer {
  readonly body: Readonly<Record<string, unknown>>;
  /** The real usage, as on the wire; a fault may hide it from the body, never from the bill. */
  readonly usage: Readonly<Record<string, unknown>>;
  /** The snapshot that answered. */
  readonly model: string;
  readonly serviceTier: string;
  /** Whether it costs nothing, because it reports a failure. */
  readonly isFree?: boolean;
}
