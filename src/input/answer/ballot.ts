import type { Job } from '../../core/job.ts';
import type { Ballot } from '../../core/outcome.ts';
import { AGREEMENT_COLUMN, CONFIDENCE_COLUMN, createAddColumn, roundShare } from './added-columns.ts';
import { findLabelField } from './label-field.ts';

/**
 * How a job with votes counts them: by its one field with labels (for a list in any order), else by the whole answer, whose keys may be
 * in any order. Spaces around a text are ignored.
 */
export function compileBallot(job: Job): Ballot {
  const field = findLabelField(job.output);
  const addColumn = createAddColumn(job);
  return {
    votes: job.votes,
    read: (value) => {
      const voted = field === null ? value : (value as Readonly<Record<string, unknown>>)[field];
      if (typeof voted === 'string') return voted.trim();
      return JSON.stringify(field !== null && Array.isArray(voted) ? [...new Set(voted.map(String))].toSorted() : voted, orderKeys);
    },
    addAgreement: (value, votes) => addColumn(value, AGREEMENT_COLUMN, roundShare(votes / job.votes)),
  };
}

function orderKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).filter(([key]) => key !== CONFIDENCE_COLUMN);
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
