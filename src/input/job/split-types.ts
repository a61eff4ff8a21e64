export type SchemaNode = Record<string, unknown> & { properties?: Record<string, SchemaNode>; items?: SchemaNode };

/** The types that a keyword constrains; keywords that are not listed describe the value as a whole. */
const CONSTRAINED_TYPES: Readonly<Record<string, readonly string[]>> = {
  minLength: ['string'],
  minimum: ['integer', 'number'],
  items: ['array'],
  minItems: ['array'],
  maxItems: ['array'],
  uniqueItems: ['array'],
  properties: ['object'],
  additionalProperties: ['object'],
  required: ['object'],
  minProperties: ['object'],
};

/** The same schema with an alternative for each type in place of a list of types, which ajv's strict mode refuses. */
export function splitTypes(schema: SchemaNode): SchemaNode {
  const node: SchemaNode = { ...schema };
  if (node.properties !== undefined)
    node.properties = Object.fromEntries(Object.entries(node.properties).map(([name, child]) => [name, splitTypes(child)]));
  for (const keyword of ['items', 'additionalProperties'] as const)
    if (typeof node[keyword] === 'object') node[keyword] = splitTypes(node[keyword] as SchemaNode);
  if (!Array.isArray(node.type)) return node;
  const { type: types, ...keywords } = node;
  const entries = Object.entries(keywords);
  const ofWhole = entries.filter(([keyword]) => CONSTRAINED_TYPES[keyword] === undefined);
  const ofType = (type: string) => entries.filter(([keyword]) => CONSTRAINED_TYPES[keyword]?.includes(type));
  return { ...Object.fromEntries(ofWhole), anyOf: types.map((type: string) => ({ type, ...Object.fromEntries(ofType(type)) })) };
}
