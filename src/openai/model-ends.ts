import { isFineTuned, listBaseNames } from '../core/model/base-model.ts';

/** When OpenAI switches a model off, and its successor. */
export interface ModelEnd {
  /** The model that ends: for a fine-tuned model its base. */
  readonly model: string;
  /** `YYYY-MM-DD`, as published by the provider. */
  readonly endsOn: string;
  /** A current model for the same kind of work; null if none is known. */
  readonly successor: string | null;
  /** The source, and when it was read. */
  readonly source: string;
}

interface EndedModels extends Omit<ModelEnd, 'model'> {
  readonly models: readonly string[];
  /** Fine-tuned models end with their base; those of these models were exempt. */
  readonly sparesFineTunes?: true;
}

const PAGE = 'OpenAI’s page of deprecations';

/**
 * Ends of the text models a job can name. Dates are OpenAI's; successors are ours, chosen from the models sold on 2026-11-29, because OpenAI's own
 * suggestions often have successors themselves by now: gpt-6-luna for simple work in bulk, gpt-6.1-terra and gpt-6.1-sol for more demanding work.
 * `GET /v1/models` gives the same dates (`shutdown_date`; 90 of 90 agreed on 2026-10-27), and takes precedence where it is asked.
 */
export const MODEL_ENDS: readonly EndedModels[] = [
  {
    endsOn: '2024-09-13',
    models: ['gpt-3.5-turbo-0301', 'gpt-3.5-turbo-0613', 'gpt-3.5-turbo-16k', 'gpt-3.5-turbo-16k-0613'],
    successor: 'gpt-6-luna',
    source: `${PAGE}, read 2026-11-29 in a copy of 2024`,
    sparesFineTunes: true,
  },
  {
    endsOn: '2025-06-06',
    models: ['gpt-4-32k', 'gpt-4-32k-0314', 'gpt-4-32k-0613'],
    successor: 'gpt-6.1-terra',
    source: `${PAGE}, read 2026-11-29 in a copy of 2024`,
  },
  {
    endsOn: '2025-07-14',
    models: ['gpt-4.5-preview', 'gpt-4.5-preview-2025-02-27'],
    successor: 'gpt-6.1-sol',
    source: `${PAGE}, read 2026-11-29 in a copy of 2025`,
  },
  {
    endsOn: '2025-07-28',
    models: ['o1-preview', 'o1-preview-2024-09-12'],
    successor: 'gpt-6.1-terra',
    source: `${PAGE}, read 2026-11-29 in a copy of 2025`,
  },
  {
    endsOn: '2025-10-27',
    models: ['o1-mini', 'o1-mini-2024-09-12'],
    successor: 'gpt-6.1-terra',
    source: `${PAGE}, read 2026-11-29 in a copy of 2025`,
  },
  {
    endsOn: '2026-02-17',
    models: ['chatgpt-4o-latest'],
    successor: 'gpt-6-luna',
    source: `${PAGE}, read 2026-11-29 in a copy of 2025-11`,
  },
  {
    endsOn: '2026-03-26',
    models: ['gpt-4-0314', 'gpt-4-0125-preview', 'gpt-4-turbo-preview'],
    successor: 'gpt-6.1-terra',
    source: `${PAGE}, read 2026-11-29 in a copy of 2026; LiteLLM’s price map of 2026-07-24`,
  },
  {
    endsOn: '2026-07-23',
    models: [
      'gpt-5-codex',
      'gpt-5.1-codex',
      'gpt-5.1-codex-max',
      'gpt-5.1-codex-mini',
      'gpt-5.2-codex',
      'gpt-5-chat-latest',
      'gpt-5.1-chat-latest',
    ],
    successor: 'gpt-6.1-terra',
    source: `${PAGE}, as of 2026-04-22`,
  },
  {
    endsOn: '2026-08-10',
    models: ['gpt-5.2-chat-latest', 'gpt-5.3-chat-latest'],
    successor: 'gpt-6-luna',
    source: `${PAGE}, as of 2026-05-14`,
  },
  {
    endsOn: '2026-09-28',
    models: ['gpt-3.5-turbo-1106', 'gpt-3.5-turbo-instruct'],
    successor: 'gpt-6-luna',
    source: `${PAGE}, read 2026-11-29 in a copy of 2026; LiteLLM’s price map of 2026-07-24`,
  },
  {
    endsOn: '2026-10-23',
    models: ['gpt-3.5-turbo', 'gpt-3.5-turbo-0125', 'gpt-4.1-nano', 'gpt-4.1-nano-2025-04-14', 'gpt-4o-2024-05-13'],
    successor: 'gpt-6-luna',
    source: `${PAGE}, as of 2026-10-15`,
  },
  {
    endsOn: '2026-10-23',
    models: [
      'gpt-4',
      'gpt-4-0613',
      'gpt-4-1106-preview',
      'gpt-4-turbo',
      'gpt-4-turbo-2024-04-09',
      'o3-mini',
      'o3-mini-2025-01-31',
      'o4-mini',
      'o4-mini-2025-04-16',
    ],
    successor: 'gpt-6.1-terra',
    source: `${PAGE}, as of 2026-10-15`,
  },
  {
    endsOn: '2026-10-23',
    models: ['o1', 'o1-2024-12-17', 'o1-pro', 'o1-pro-2025-03-19'],
    successor: 'gpt-6.2-sol',
    source: `${PAGE}, as of 2026-10-15`,
  },
  {
    endsOn: '2026-12-11',
    models: ['gpt-5', 'gpt-5-2025-08-07', 'o3', 'o3-2025-04-16'],
    successor: 'gpt-6.1-sol',
    source: `${PAGE}, read 2026-11-29; /v1/models of 2026-10-27`,
  },
  {
    endsOn: '2026-12-11',
    models: ['gpt-5-mini', 'gpt-5-mini-2025-08-07'],
    successor: 'gpt-6.1-terra',
    source: `${PAGE}, read 2026-11-29; /v1/models of 2026-10-27`,
  },
  {
    endsOn: '2026-12-11',
    models: ['gpt-5-nano', 'gpt-5-nano-2025-08-07'],
    successor: 'gpt-6-luna',
    source: `${PAGE}, read 2026-11-29; /v1/models of 2026-10-27`,
  },
  {
    endsOn: '2026-12-11',
    models: ['gpt-5-pro', 'gpt-5-pro-2025-10-06', 'o3-pro', 'o3-pro-2025-06-10'],
    successor: 'gpt-6.2-sol',
    source: `${PAGE}, as of 2026-10-28; /v1/models of 2026-10-27`,
  },
  {
    endsOn: '2027-01-14',
    models: [
      'gpt-4o',
      'gpt-4o-2024-08-06',
      'gpt-4o-2024-11-20',
      'gpt-4o-mini',
      'gpt-4o-mini-2024-07-18',
      'gpt-4.1',
      'gpt-4.1-2025-04-14',
      'gpt-4.1-mini',
      'gpt-4.1-mini-2025-04-14',
    ],
    successor: 'gpt-6-luna',
    source: `${PAGE}, as of 2026-11-05; /v1/models of 2026-10-27`,
  },
  {
    endsOn: '2027-04-01',
    models: ['gpt-5.1', 'gpt-5.1-2025-11-13'],
    successor: 'gpt-6.1-sol',
    source: `${PAGE}, as of 2026-10-28; /v1/models of 2026-10-27`,
  },
  {
    endsOn: '2027-04-01',
    models: ['gpt-5.3-codex'],
    successor: 'gpt-6.1-terra',
    source: `${PAGE} as retold at dev.to/aidriftline, 2026-11`,
  },
  {
    endsOn: '2027-04-01',
    models: ['gpt-5.4-nano'],
    successor: 'gpt-6-luna',
    source: `${PAGE} as retold at dev.to/aidriftline, 2026-11`,
  },
];

/** When a model ends, according to the table; a fine-tuned one ends with its base. Null if nothing is known. */
export function findModelEnd(model: string): ModelEnd | null {
  const [base] = listBaseNames(model);
  const row = MODEL_ENDS.find(({ models }) => models.includes(base));
  if (row === undefined || (row.sparesFineTunes === true && isFineTuned(model))) return null;
  const { endsOn, successor, source } = row;
  return { model: base, endsOn, successor, source };
}

/** What an address says about its own model, with the successor from the table. @param endsOn null: it says that no end is announced */
export function makeToldEnd(model: string, endsOn: string | null): ModelEnd | null {
  if (endsOn === null) return null;
  return { model, endsOn, successor: findModelEnd(model)?.successor ?? null, source: 'shutdown_date of /v1/models' };
}
