import { formatCount, formatThings } from '../format-numbers.ts';
import type { Histogram } from './facts.ts';
import { formatShare } from './format-times.ts';
import { type Html, html, joinHtml, NOTHING } from './html.ts';

/*
 * Charts are drawings without text, stretched to the available width; their text is HTML next to them, so that it has the size of
 * all other text on a phone too. The colours are named by classes of the style sheet.
 */

/** A part of a whole. */
export interface Part {
  readonly name: string;
  readonly count: number;
  readonly fill: string;
}

/** Parts side by side, in proportion to their share of the whole, and a legend. */
export function renderStack(label: string, parts: readonly Part[]): Html {
  const shown = parts.filter(({ count }) => count > 0);
  const total = shown.reduce((sum, { count }) => sum + count, 0);
  if (total === 0) return NOTHING;
  let x = 0;
  const bars = shown.map(({ name, count, fill }) => {
    const width = (count / total) * 1000;
    const bar = html`<rect class="${fill}" x="${round(x)}" width="${round(width)}" height="10"><title>${name}: ${formatCount(count)}</title></rect>`;
    x += width;
    return bar;
  });
  const words = shown.map(({ name, count }) => `${formatCount(count)} ${name}`).join(', ');
  const key = shown.map(({ name, count, fill }) => html`<li>${swatch(fill)}${formatCount(count)} ${name}</li>`);
  return html`<div class="stack">${draw(`${label}: ${words}`, '0 0 1000 10', bars)}</div><ul class="key">${key}</ul>`;
}

/** A bar for a share of 1; anything beyond 1 is cut. */
export function renderMeter(label: string, share: number, fill: string): Html {
  const width = round(Math.min(1, Math.max(0, share)) * 1000);
  return draw(label, '0 0 1000 10', [
    html`<rect class="f-faint" width="1000" height="10"/>`,
    html`<rect class="${fill}" width="${width}" height="10"/>`,
  ]);
}

export interface BarsOptions {
  readonly label: string;
  readonly histogram: Histogram;
  readonly show: (value: number) => string;
  /** Numbers marked by a line, with their names. */
  readonly marks: readonly { readonly name: string; readonly value: number }[];
  /** The unit of counting: `row`. */
  readonly thing: string;
  /** The largest of all numbers. */
  readonly max: number;
}

/** Room for the tail, in bars: a gap and the bar itself. */
const TAIL_BARS = 2;

/** A histogram with its axis; values beyond its last bar are a separate bar, apart from the others and in another colour. */
export function renderBars({ label, histogram, show, marks, thing, max }: BarsOptions): Html {
  const { from, width, counts, beyond } = histogram;
  const tail = beyond ?? 0;
  const tallest = Math.max(...counts, tail, 1);
  const end = from + width * counts.length;
  const slot = 1000 / (counts.length + (tail > 0 ? TAIL_BARS : 0));
  const bar = (place: number, count: number, fill: string, range: string) => {
    const height = (count / tallest) * 100;
    return count === 0
      ? NOTHING
      : html`<rect class="${fill}" x="${round((place + 0.06) * slot)}" y="${round(100 - height)}" width="${round(slot * 0.88)}" height="${round(height)}"><title>${range}: ${formatThings(count, thing)}</title></rect>`;
  };
  const bars = counts.map((count, place) => {
    const holdsRest = beyond === undefined && place === counts.length - 1;
    return bar(
      place,
      count,
      'f-main',
      `${show(from + place * width)} ${holdsRest ? 'and more' : `to ${show(from + (place + 1) * width)}`}`,
    );
  });
  const lines = marks.map(({ value }) => {
    const x = round(Math.min(counts.length * slot, Math.max(0, ((value - from) / width) * slot)));
    return html`<line class="s-mark" x1="${x}" x2="${x}" y1="0" y2="100"/>`;
  });
  const scale = `The tallest bar is ${formatThings(tallest, thing)}; bars start at 0.${from === 0 ? '' : ` The axis starts at ${show(from)}.`}`;
  const words = `${label}; most between ${showPeak(histogram, show)}; ${marks.map(({ name, value }) => `${name} ${show(value)}`).join(', ')}`;
  return html`${draw(words, '0 0 1000 100', [...bars, ...lines, bar(counts.length + 1, tail, 'f-skip', `beyond ${show(end)}`)])}
<div class="axis"><span>${show(from)}</span><span>${marks.map(({ name, value }) => `${name} ${show(value)}`).join(' · ')}</span><span>${show(end)}${tail > 0 ? ' …' : ''}</span></div>
<p class="small soft">${describeTail(histogram, { thing, end: show(end), max: show(max) })} ${scale}</p>`;
}

function describeTail(
  { counts, beyond }: Histogram,
  { thing, end, max }: { readonly thing: string; readonly end: string; readonly max: string },
): Html {
  if (beyond === undefined) return html`The last bar also contains everything beyond it, up to ${max}.`;
  if (beyond === 0) return html`No value is beyond the last bar.`;
  const share = beyond / (counts.reduce((sum, count) => sum + count, 0) + beyond);
  return html`${swatch('f-skip')}The separate bar is the tail: ${formatThings(beyond, thing)} (${formatShare(share)}) beyond ${end}, up to ${max}.`;
}

function showPeak({ from, width, counts }: Histogram, show: (value: number) => string): string {
  const place = counts.indexOf(Math.max(...counts));
  return `${show(from + place * width)} and ${show(from + (place + 1) * width)}`;
}

export interface SeriesOptions {
  readonly label: string;
  readonly values: readonly number[];
  readonly fill: string;
  /** The description of each value, as a tooltip. */
  readonly nameOf: (place: number) => string;
  /** Drawn as a line across, unless it is far out of range; null without one. */
  readonly limit: number | null;
  /** Positions marked at the foot. */
  readonly marked: readonly number[];
}

/** Values over time as bars, against a limit. */
export function renderSeries({ label, values, fill, nameOf, limit, marked }: SeriesOptions): Html {
  const largest = Math.max(...values, 1e-9);
  const top = limit !== null && limit < largest * 4 ? Math.max(largest, limit) * 1.05 : largest * 1.05;
  const slot = 1000 / values.length;
  const bars = values.map((value, place) => {
    const height = (value / top) * 100;
    return html`<rect class="${fill}" x="${round(place * slot)}" y="${round(100 - height)}" width="${round(slot * 0.92)}" height="${round(height)}"><title>${nameOf(place)}</title></rect>`;
  });
  const line =
    limit === null || limit > top
      ? NOTHING
      : html`<line class="s-limit" x1="0" x2="1000" y1="${round(100 - (limit / top) * 100)}" y2="${round(100 - (limit / top) * 100)}"/>`;
  const marks = marked.map(
    (place) =>
      html`<rect class="f-bad" x="${round(place * slot)}" y="94" width="${round(slot * 0.92)}" height="6"><title>${nameOf(place)}</title></rect>`,
  );
  return draw(label, '0 0 1000 100', [...bars, line, ...marks]);
}

export interface Segment {
  readonly name: string;
  /** 0..1 of the whole width. */
  readonly from: number;
  readonly to: number;
  readonly fill: string;
}

/** One line of a timeline. */
export function renderSegments(label: string, segments: readonly Segment[]): Html {
  const bars = segments.map(({ name, from, to, fill }) => {
    const width = Math.max(2, (to - from) * 1000);
    return html`<rect class="${fill}" x="${round(from * 1000)}" width="${round(width)}" height="10"><title>${name}</title></rect>`;
  });
  return draw(label, '0 0 1000 10', [html`<rect class="f-faint" width="1000" height="10"/>`, ...bars]);
}

/** A small square of a colour, for a legend. */
export function swatch(fill: string): Html {
  return html`<svg aria-hidden="true" viewBox="0 0 10 10"><rect class="${fill}" width="10" height="10"/></svg>`;
}

function draw(label: string, viewBox: string, shapes: readonly Html[]): Html {
  return html`<svg role="img" aria-label="${label}" viewBox="${viewBox}" preserveAspectRatio="none">${joinHtml(shapes)}</svg>`;
}

function round(value: number): string {
  return String(Number(value.toFixed(1)));
}
