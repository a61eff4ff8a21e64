import type { StandardSchema } from './standard-schema.ts';

/** The values of `output`: text, a vector, JSON mode, a JSON Schema, fields in shorthand, or a schema of a validation library. */
export type OutputDefinition<Label extends string> = 'text' | 'vector' | JsonMode | JsonSchemaRoot | OutputFields<Label> | StandardSchema;

export interface JsonMode {
  readonly json: 'object';
  readonly schema?: Readonly<Record<string, unknown>> | undefined;
}

export interface JsonSchemaRoot {
  readonly type: 'object';
  readonly properties: Readonly<Record<string, unknown>>;
  readonly [keyword: string]: unknown;
}

/** Fields by name, as in the `output` of a job file. */
export interface OutputFields<Label extends string> {
  readonly [name: string]: FieldWord<Label> | LongField<Label> | OutputFields<Label>;
}

type Scalar<Label extends string> =
  | 'string'
  | 'number'
  | 'integer'
  | 'boolean'
  | `number ${string}..${string}`
  | `integer ${string}..${string}`
  | `${string}|${string}`
  // `label` is not a type in a job without labels.
  | ([Label] extends [never] ? never : 'label');

/** `string`, `number 0..1`, `label`, `a | b | c`; with `[]` for a list, with `?` for null. */
export type FieldWord<Label extends string> = Scalar<Label> | `${Scalar<Label>}[]` | `${Scalar<Label>}?` | `${Scalar<Label>}[]?`;

/** A field with JSON Schema keywords next to its type. */
export interface LongField<Label extends string> {
  readonly type?: FieldWord<Label> | 'array' | 'object' | 'null' | readonly JsonType[] | undefined;
  readonly description?: string | undefined;
  readonly title?: string | undefined;
  readonly enum?: readonly unknown[] | undefined;
  readonly const?: unknown | undefined;
  readonly items?: unknown | undefined;
  readonly properties?: Readonly<Record<string, unknown>> | undefined;
  readonly required?: readonly string[] | undefined;
  readonly additionalProperties?: false | undefined;
  readonly anyOf?: readonly unknown[] | undefined;
  readonly format?: string | undefined;
  readonly pattern?: string | undefined;
  readonly minimum?: number | undefined;
  readonly maximum?: number | undefined;
  readonly exclusiveMinimum?: number | undefined;
  readonly exclusiveMaximum?: number | undefined;
  readonly multipleOf?: number | undefined;
  readonly minItems?: number | undefined;
  readonly maxItems?: number | undefined;
}

type JsonType = 'string' | 'number' | 'integer' | 'boolean' | 'null' | 'array' | 'object';

/** The type of a checked answer. */
export type AnswerOf<Output, Label extends string> = Output extends 'text'
  ? // A text of a job with labels is one of them.
    [Label] extends [never]
    ? string
    : Label
  : Output extends 'vector'
    ? readonly number[]
    : Output extends StandardSchema<infer Value>
      ? Value
      : Output extends { readonly json: 'object' }
        ? Output extends { readonly schema: infer Schema }
          ? FromSchema<Schema>
          : Readonly<Record<string, unknown>>
        : Output extends { readonly type: 'object'; readonly properties: object }
          ? FromSchema<Output>
          : FromFields<Output, Label>;

type FromFields<Fields, Label extends string> = { readonly [Name in keyof Fields]: FromField<Fields[Name], Label> };

type FromField<Field, Label extends string> = Field extends string
  ? FromWord<Field, Label>
  : Exclude<keyof Field, keyof LongField<Label>> extends never
    ? Field extends { readonly enum: unknown } | { readonly const: unknown }
      ? FromSchema<Field>
      : Field extends { readonly type: 'object' | 'array' | 'null' | readonly unknown[] }
        ? FromSchema<Field>
        : Field extends { readonly type: infer Word extends string }
          ? FromWord<Word, Label>
          : FromFields<Field, Label>
    : FromFields<Field, Label>;

type FromWord<Word extends string, Label extends string> = Word extends `${infer Base}?`
  ? FromList<Trim<Base>, Label> | null
  : FromList<Trim<Word>, Label>;

type FromList<Word extends string, Label extends string> = Word extends `${infer Base}[]`
  ? readonly FromScalar<Trim<Base>, Label>[]
  : FromScalar<Word, Label>;

type FromScalar<Word extends string, Label extends string> = Word extends 'string'
  ? string
  : Word extends 'boolean'
    ? boolean
    : Word extends 'label'
      ? Label
      : Word extends 'number' | 'integer' | `number ${string}` | `integer ${string}`
        ? number
        : Word extends `${string}|${string}`
          ? Choices<Word>
          : unknown;

type Choices<Word extends string> = Word extends `${infer First}|${infer Rest}` ? Trim<First> | Choices<Rest> : Trim<Word>;

type Trim<Text extends string> = Text extends ` ${infer Rest}` ? Trim<Rest> : Text extends `${infer Rest} ` ? Trim<Rest> : Text;

/** The type of values accepted by a JSON Schema, as far as its common keywords determine it; else `unknown`. */
type FromSchema<Schema> = Schema extends { readonly enum: readonly (infer Choice)[] }
  ? Choice
  : Schema extends { readonly const: infer Value }
    ? Value
    : Schema extends { readonly anyOf: readonly (infer Branch)[] }
      ? FromBranch<Branch>
      : Schema extends { readonly type: readonly (infer Type)[] }
        ? FromType<Type, Schema>
        : Schema extends { readonly type: infer Type }
          ? FromType<Type, Schema>
          : unknown;

type FromBranch<Branch> = Branch extends unknown ? FromSchema<Branch> : never;

type FromType<Type, Schema> = Type extends 'string'
  ? string
  : Type extends 'number' | 'integer'
    ? number
    : Type extends 'boolean'
      ? boolean
      : Type extends 'null'
        ? null
        : Type extends 'array'
          ? readonly (Schema extends { readonly items: infer Item } ? FromSchema<Item> : unknown)[]
          : Type extends 'object'
            ? FromObject<Schema>
            : unknown;

type FromObject<Schema> = Schema extends { readonly properties: infer Properties }
  ? Flat<
      { readonly [Name in keyof Properties as Name extends Required<Schema> ? Name : never]: FromSchema<Properties[Name]> } & {
        readonly [Name in keyof Properties as Name extends Required<Schema> ? never : Name]?: FromSchema<Properties[Name]>;
      }
    >
  : Readonly<Record<string, unknown>>;

type Required<Schema> = Schema extends { readonly required: readonly (infer Name)[] } ? Name : never;

/** Shows the properties instead of the types they were composed of. */
type Flat<Type> = { [Name in keyof Type]: Type[Name] };
