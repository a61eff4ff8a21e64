/* The little of a browser's own types that functions inside the page need: the whole of them would make the browser's names known to all of src. */

export interface PageElement {
  readonly tagName: string;
  readonly outerHTML: string;
  readonly className: string;
  readonly id: string;
  readonly textContent: string | null;
  readonly parentElement: PageElement | null;
  readonly attributes: Iterable<{ readonly name: string }>;
  readonly childNodes: Iterable<{ readonly nodeType: number; readonly textContent: string | null }>;
  innerHTML: string;
  getAttribute(name: string): string | null;
  hasAttribute(name: string): boolean;
  readonly clientWidth: number;
  readonly scrollWidth: number;
  closest(selector: string): PageElement | null;
  getBoundingClientRect(): { readonly top: number; readonly bottom: number };
  querySelectorAll(selector: string): Iterable<PageElement>;
  append(child: unknown): void;
}

export interface PageDocument {
  readonly body: PageElement;
  readonly documentElement: { readonly scrollWidth: number; readonly scrollHeight: number };
  readonly activeElement: PageElement | null;
  getElementById(id: string): PageElement | null;
  querySelectorAll(selector: string): Iterable<PageElement>;
  createRange(): PageRange;
  createElement(name: string): PageElement & { textContent: string | null };
  addEventListener(type: 'securitypolicyviolation', listener: (event: { readonly effectiveDirective: string }) => void): void;
}

export interface PageText {
  readonly nodeType: number;
  readonly textContent: string | null;
}

export interface PageRange {
  setStart(text: PageText, place: number): void;
  setEnd(text: PageText, place: number): void;
  getClientRects(): Iterable<{ readonly top: number; readonly width: number }>;
}

export type GetComputedStyle = (
  element: PageElement,
  part?: string,
) => {
  readonly content: string;
  readonly color: string;
  readonly backgroundColor: string;
  readonly position: string;
  readonly display: string;
};
