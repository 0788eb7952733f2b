// Configuration files of the API server, which are objects of a group of their own: YAML or JSON, read strictly. Pure.
import type { Problem } from "../../api/errors.ts";
import { type Schema, decode } from "../../api/schema.ts";
import { inOrder, readYaml, unmarshalErrors } from "./yaml.ts";

/** The kind a file is of, and its fields. */
export interface ConfigKind {
  readonly apiVersion: string;
  readonly kind: string;
  readonly fields: Readonly<Record<string, Schema>>;
}

export const textSchema: Schema = { type: "string" };
export const textsSchema: Schema = { type: "array", items: textSchema };
export const flagSchema: Schema = { type: "boolean" };
export const struct = (goName: string, properties: Readonly<Record<string, Schema>>): Schema => ({
  type: "object",
  goName,
  properties,
});
export const structs = (goName: string, properties: Readonly<Record<string, Schema>>): Schema => ({
  type: "array",
  items: struct(goName, properties),
});

/** Decodes an object of this kind. Throws for another kind, for unknown fields, and for fields of a wrong type. */
export function decodeConfig<T>(value: unknown, { apiVersion, kind, fields }: ConfigKind): T {
  const object = (typeof value === "object" && value !== null ? value : {}) as Readonly<Record<string, unknown>>;
  if (!object["kind"]) throw new Error("Object 'Kind' is missing");
  if (!object["apiVersion"]) throw new Error("Object 'apiVersion' is missing");
  if (object["kind"] !== kind || object["apiVersion"] !== apiVersion)
    throw new Error(`it is a ${object["kind"]} of ${object["apiVersion"]}, not a ${kind} of ${apiVersion}`);
  const metadata: Schema = { type: "object" };
  const schema = struct(kind, { apiVersion: textSchema, kind: textSchema, metadata, ...fields });
  const { value: decoded, unknown, wrong } = decode(schema, object);
  if (wrong[0]) throw new Error(wrong[0].read);
  if (unknown.length > 0)
    throw new Error(`strict decoding error: ${unknown.map((path) => `unknown field "${path}"`).join(", ")}`);
  return decoded as T;
}

/** Reads a text. Throws as {@link decodeConfig}, and for a field that occurs twice. */
export function readConfigFile<T>(text: string, kind: ConfigKind): T {
  const { value, twice } = readYaml(text);
  if (twice.length > 0) throw new Error(unmarshalErrors(twice));
  return decodeConfig(inOrder(value), kind);
}

/** Throws the problems that a configuration has, as Go joins errors. */
export function throwProblems(problems: readonly Problem[]): void {
  const messages = problems.map(({ path, message }) => `${path}: ${message}`);
  if (messages.length === 0) return;
  throw new Error(messages.length === 1 ? messages[0] : `[${messages.join(", ")}]`);
}
