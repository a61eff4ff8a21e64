import type { WireAnswer } from '../http-types.ts';

/** `shutdown_date` by model: a day (YYYY-MM-DD), or null if none is announced. */
export type ShutdownDates = Readonly<Record<string, string | null>>;

type Model = Readonly<Record<string, unknown>>;

export function isShutdownDates(value: unknown): value is ShutdownDates {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((day) => day === null || (typeof day === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(day)));
}

/** Adds the dates to the responses of GET /v1/models and GET /v1/models/{id} (OpenAI's page of deprecations, read 2026-11-29); others stay unchanged. */
export function addShutdownDates(answer: WireAnswer, dates: ShutdownDates): WireAnswer {
  if (answer.type !== 'json' || answer.status !== 200) return answer;
  const body = answer.body as Model;
  const add = (model: Model) => {
    const day = typeof model.id === 'string' && Object.hasOwn(dates, model.id) ? dates[model.id] : undefined;
    return day === undefined ? model : { ...model, shutdown_date: day };
  };
  if (body.object === 'model') return { ...answer, body: add(body) };
  return Array.isArray(body.data) ? { ...answer, body: { ...body, data: body.data.map(add) } } : answer;
}
