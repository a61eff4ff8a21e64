import { StringDecoder } from 'node:string_decoder';
import { SaxesParser } from 'saxes';

/** What is told of an XML text; names are without their prefixes. */
export interface XmlHandlers {
  open?(name: string, attributes: Readonly<Record<string, string>>): void;
  text?(text: string): void;
  close?(name: string): void;
}

/** Reads an XML text piece by piece; what the handlers have seen so far is looked at after each. @throws Error in words where it is no XML */
export async function* readXml(chunks: AsyncIterable<Buffer>, handlers: XmlHandlers): AsyncGenerator<void> {
  const parser = new SaxesParser();
  const decoder = new StringDecoder('utf8');
  let fault: Error | null = null;
  parser.on('error', (error) => {
    fault ??= error;
  });
  parser.on('opentag', ({ name, attributes }) => handlers.open?.(localName(name), attributes));
  if (handlers.text !== undefined) {
    parser.on('text', (text) => handlers.text?.(text));
    parser.on('cdata', (text) => handlers.text?.(text));
  }
  parser.on('closetag', ({ name }) => handlers.close?.(localName(name)));
  for await (const chunk of chunks) {
    parser.write(decoder.write(chunk));
    if (fault !== null) throw fault;
    yield;
  }
  parser.write(decoder.end()).close();
  if (fault !== null) throw fault;
  yield;
}

/** Reads a whole XML text; one that is not there says nothing. */
export async function readWholeXml(chunks: AsyncIterable<Buffer> | null, handlers: XmlHandlers): Promise<void> {
  if (chunks === null) return;
  for await (const _ of readXml(chunks, handlers));
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}
