import { Liquid } from 'liquidjs';
import { showAsJson, showCell } from './cell-text.ts';

/** Tags that read other templates, or that only make sense with them. */
const REMOVED_TAGS = ['include', 'render', 'layout', 'block'];
const DATE_FILTERS = ['date', 'date_to_xmlschema', 'date_to_rfc822', 'date_to_string', 'date_to_long_string'];
const GROUP_FILTERS = ['group_by', 'group_by_exp'];

const MAX_TEMPLATE_CHARACTERS = 1024 * 1024;
const MAX_RENDER_MS = 5_000;
const MAX_RENDER_OBJECTS = 100_000_000;

/**
 * Liquid as rowmill allows it: unknown filters and variables are errors, nothing is read from disk, only own properties are visible,
 * and the same row always gives the same text, on every machine and day.
 */
export function createEngine(): Liquid {
  const engine = new Liquid({
    strictFilters: true,
    strictVariables: true,
    lenientIf: true,
    ownPropertyOnly: true,
    dynamicPartials: false,
    relativeReference: false,
    templates: {},
    cache: false,
    outputEscape: showCell,
    timezoneOffset: 0,
    locale: 'en-US',
    parseLimit: MAX_TEMPLATE_CHARACTERS,
    renderLimit: MAX_RENDER_MS,
    memoryLimit: MAX_RENDER_OBJECTS,
  });
  for (const tag of REMOVED_TAGS) delete engine.tags[tag];
  engine.unregisterFilter('sample');
  engine.unregisterFilter('shuffle');
  // `raw` would skip showCell, and print objects as [object Object].
  engine.registerFilter('raw', (value: unknown) => value);
  for (const name of DATE_FILTERS) refuseNow(engine, name);
  for (const name of GROUP_FILTERS) showGroups(engine, name);
  return engine;
}

/** The only filters that make objects: without this, the next filter would read a group as [object Object]. */
function showGroups(engine: Liquid, name: string): void {
  const filter = engine.filters[name];
  if (typeof filter !== 'function') return;
  engine.registerFilter(name, function* (value: unknown, ...rest: unknown[]): Generator<unknown, unknown, unknown> {
    const groups = (yield filter.call(this, value, ...rest)) as readonly object[];
    return groups.map(showAsJson);
  });
}

/** Today's date in a prompt would make every row new, and paid for, every day. */
function refuseNow(engine: Liquid, name: string): void {
  const filter = engine.filters[name];
  if (typeof filter !== 'function') return;
  engine.registerFilter(name, function (value: unknown, ...rest: unknown[]) {
    if (value === 'now' || value === 'today')
      throw new Error(`"${value}" cannot be used in a prompt: the same row must give the same text every day`);
    return filter.call(this, value, ...rest);
  });
}
