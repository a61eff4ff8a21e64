import { type Html, html } from './html.ts';

/** A table in its own frame: wide content scrolls in it, also by keyboard, and never the page. */
export function renderFrame(label: string, table: Html): Html {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${label}">${table}</div>`;
}
