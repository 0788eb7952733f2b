// Protobuf messages and gRPC services as values from which both the wire format and the types follow.
import type { INamespace } from "protobufjs";

interface Shape {
  readonly type: string;
  readonly rule?: "repeated";
  readonly keyType?: "string";
  /** The message or enumeration that `type` names. */
  readonly of?: Message | Enumeration;
}
/** A field: its number and its shape; `T` is the type of its value. */
export interface Field<T> extends Shape {
  readonly id: number;
  /** Only for the types: there is no such property. */
  readonly value?: T;
}
type Fields = Readonly<Record<string, Field<unknown>>>;
export interface Message<F extends Fields = Fields> {
  readonly name: string;
  readonly fields: F;
  /** Fields of which one is set. */
  readonly oneOf: readonly string[];
}
export interface Enumeration<V extends string = string> {
  readonly name: string;
  readonly values: Readonly<Record<V, number>>;
}

/** What is received: absent scalars have their default, absent messages are null, absent members of a oneof missing. */
export type Received<M extends Message> = {
  readonly [K in keyof M["fields"]]: M["fields"][K] extends Field<infer T> ? T : never;
};
type Partly<T> = T extends readonly (infer E)[]
  ? readonly Partly<E>[]
  : T extends object
    ? { readonly [K in keyof T]?: Partly<T[K]> | undefined }
    : T;
/** What is sent: every field may be left out. */
export type Sent<M extends Message> = Partly<Received<M>>;

export const message = <F extends Fields>(name: string, fields: F, oneOf: readonly (keyof F & string)[] = []) =>
  ({ name, fields, oneOf }) satisfies Message<F>;
export const enumeration = <V extends string>(name: string, values: Readonly<Record<V, number>>): Enumeration<V> => ({
  name,
  values,
});

export const string = (id: number): Field<string> => ({ id, type: "string" });
export const bool = (id: number): Field<boolean> => ({ id, type: "bool" });
export const int32 = (id: number): Field<number> => ({ id, type: "int32" });
/** Read as a number: sizes of volumes stay below 2^53. */
export const int64 = (id: number): Field<number> => ({ id, type: "int64" });
export const strings = (id: number): Field<readonly string[]> => ({ id, type: "string", rule: "repeated" });
export const stringMap = (id: number): Field<Readonly<Record<string, string>>> => ({
  id,
  type: "string",
  keyType: "string",
});
/** Messages by a text. */
export const mapOf = <M extends Message>(id: number, of: M): Field<Readonly<Record<string, Received<M>>>> => ({
  ...{ id, type: of.name, of, keyType: "string" },
});
export const one = <M extends Message>(id: number, of: M): Field<Received<M> | null> => ({ id, type: of.name, of });
export const list = <M extends Message>(id: number, of: M): Field<readonly Received<M>[]> => ({
  id,
  type: of.name,
  of,
  rule: "repeated",
});
/** Read and written as the name of its value. */
export const choice = <V extends string>(id: number, of: Enumeration<V>): Field<V> => ({ id, type: of.name, of });

export interface Method<Q extends Message = Message, R extends Message = Message> {
  readonly request: Q;
  readonly response: R;
}
export interface Service<M extends Readonly<Record<string, Method>> = Readonly<Record<string, Method>>> {
  /** With its package: `csi.v1.Node`. */
  readonly name: string;
  readonly methods: M;
}
export const service = <M extends Readonly<Record<string, Method>>>(name: string, methods: M): Service<M> => ({
  name,
  methods,
});

type Types = Record<string, object>;

function addType(types: Types, type: Message | Enumeration): void {
  if (types[type.name]) return;
  if ("values" in type) {
    types[type.name] = { values: type.values };
    return;
  }
  const fields = Object.entries(type.fields);
  types[type.name] = {
    fields: Object.fromEntries(fields.map(([name, { of: _, ...field }]) => [name, field])),
    ...(type.oneOf.length > 0 && { oneofs: { type: { oneof: type.oneOf } } }),
  };
  for (const [, { of }] of fields) if (of) addType(types, of);
}

/** The messages of a service, in the JSON form of protobufjs. */
export function definitionOf({ methods }: Service): INamespace {
  const types: Types = {};
  for (const { request, response } of Object.values(methods)) for (const t of [request, response]) addType(types, t);
  return { nested: types } as INamespace;
}
