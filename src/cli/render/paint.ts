import { styleText } from 'node:util';

/** Puts colour on text that is safe already, and knows how wide the terminal is that it goes to. */
export interface Paint {
  (style: 'bold' | 'dim' | 'green' | 'yellow' | 'red', text: string): string;
  /** In cells; null for lines as long as they come. */
  readonly columns: number | null;
}

export function createPaint(colour: boolean, columns: number | null = null): Paint {
  const paint = (style: Parameters<Paint>[0], text: string) => (colour ? styleText(style, text, { validateStream: false }) : text);
  return Object.assign(paint, { columns });
}
