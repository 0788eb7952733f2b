// What a write sends: its query options, and its body, read once at the border: parsed, checked against the kind's
// schema, and of the kind the path names.
import { forbidden, invalid, required, together, unsupported } from "../../api/problems.ts";
import { ApiError, type Problem } from "../../api/errors.ts";
import { invalid as refused, unhandled } from "../registry/refusals.ts";
import type { WriteOptions } from "../registry/verbs.ts";
import { type Call, type ApiRequest, termIn } from "./request-response.ts";
import { flag } from "./path.ts";
import { type ResourceDefinition, apiVersionOf } from "../../api/kinds.ts";
import type { ApiObject, Draft } from "../../api/meta.ts";
import { type Schema, decode } from "../../api/schema.ts";
import type { KindRegistry } from "../../machinery/kind-registry.ts";
import { fieldsIn, outlineOf, syntaxError, tooDeep, strictErrors } from "../documents/json-syntax.ts";
import { inOrder, readYaml, unmarshalErrors } from "../documents/yaml.ts";
import { decodeProtobuf } from "../protobuf/decode.ts";

/** What happens to unknown and duplicate fields. */
export type FieldValidation = "Strict" | "Warn" | "Ignore";
/** Adds a warning to the response. */
export type Warn = (sentence: string) => void;

/** The options of a write in its query. */
export interface WriteQuery {
  readonly options: WriteOptions;
  readonly validation: FieldValidation;
  /** Only an apply may be forced. */
  readonly force: boolean;
}

const longestManager = 128;
const validations: readonly string[] = ["", "Ignore", "Strict", "Warn"];

const isPrintable = (character: string): boolean => /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(character);

/** What is wrong with the name of a manager. */
export function managerProblems(manager: string, path: string): readonly Problem[] {
  let at = 0;
  const unprintable: Problem[] = [];
  for (const character of manager) {
    const point = `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}`;
    if (!isPrintable(character))
      unprintable.push(invalid(path, manager, `invalid character ${point} (at position ${at})`));
    at += Buffer.byteLength(character);
  }
  const message = `Too long: may not be more than ${longestManager} bytes`;
  return together(at > longestManager && { path, message, reason: "FieldValueTooLong" }, unprintable);
}

/** What is wrong with the option dryRun. */
export const dryRunProblems = (sent: readonly string[]): readonly Problem[] =>
  sent.every((value) => value === "All") ? [] : [unsupported("dryRun", sent, ["All"])];

/** The field manager of a request that names none: the first word of its user agent. */
function managerOf(request: ApiRequest): string {
  const [first = ""] = (request.headers["user-agent"] ?? "").split("/");
  let name = "";
  for (const character of first)
    if (isPrintable(character) && Buffer.byteLength(name + character) <= longestManager) name += character;
  return name;
}

const forceProblems = (query: URLSearchParams, patchType: string): Problem | false =>
  patchType === "application/apply-patch+yaml"
    ? !query.get("fieldManager") && required("fieldManager", "is required for apply patch")
    : query.has("force") && forbidden("force", "may not be specified for non-apply patch");

/** The options in the query of a write. Throws Invalid. */
export function writeQuery(request: ApiRequest, warn: Warn, patchType?: string): WriteQuery {
  const { query, method } = request;
  const manager = query.get("fieldManager") ?? "";
  const validation = query.get("fieldValidation") ?? "";
  const dryRun = query.getAll("dryRun");
  const problems = together(
    patchType !== undefined && forceProblems(query, patchType),
    managerProblems(manager, "fieldManager"),
    dryRunProblems(dryRun),
    !validations.includes(validation) && unsupported("fieldValidation", validation, validations),
  );
  const kind = { POST: "CreateOptions", PUT: "UpdateOptions" }[method] ?? "PatchOptions";
  if (problems.length > 0) throw refused({ group: "meta.k8s.io", kind, plural: "" }, "", problems);
  return {
    options: {
      dryRun: dryRun.length > 0,
      manager: manager || managerOf(request),
      user: request.user,
      verb: patchType !== undefined ? "patch" : method === "POST" ? "create" : "update",
      term: termIn(request),
      warn,
      trace: request.trace,
      annotate: request.audit?.annotate,
    },
    validation: (validation || "Warn") as FieldValidation,
    force: flag(query, "force"),
  };
}

/** The media type without its parameters. */
export const mediaType = (request: ApiRequest): string =>
  (request.headers["content-type"] ?? "application/json").split(";")[0]!.trim().toLowerCase();

/** A decoded document, and the errors of strict decoding. */
export interface Sent {
  readonly value: unknown;
  /** Whether a field occurs twice; the value has only the last one. */
  saysTwice(): boolean;
  strict(schema: Schema): readonly string[];
}

/** A document of JSON; throws when it is none. */
export function readJson(text: string): Sent {
  const { isTooDeep, fields } = outlineOf(text);
  if (isTooDeep) throw new Error(tooDeep);
  try {
    const value: unknown = JSON.parse(text);
    return { value, saysTwice: () => fieldsIn(value) < fields, strict: (schema) => strictErrors(text, schema) };
  } catch {
    throw new Error(`couldn't get version/kind; json parse error: ${syntaxError(text)}`);
  }
}
function readYamlBody(text: string): Sent {
  const { value, twice } = readYaml(text);
  const ordered = inOrder(value);
  return {
    value: ordered,
    saysTwice: () => twice.length > 0,
    strict: (schema) => [
      ...(twice.length > 0 ? [unmarshalErrors(twice)] : []),
      ...strictErrors(JSON.stringify(ordered), schema),
    ],
  };
}

/** Media types that this server reads. */
const accepted = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"];

function read(request: ApiRequest): Sent {
  const sent = readAs(request);
  request.audit?.sends(sent.value);
  return sent;
}
function readAs(request: ApiRequest): Sent {
  const type = mediaType(request);
  const body = request.body ?? Buffer.alloc(0);
  if (type === "application/vnd.kubernetes.protobuf")
    return { value: decodeProtobuf(body), saysTwice: () => false, strict: () => [] };
  if (type === "application/json") return readJson(body.toString("utf8"));
  if (type === "application/yaml") return readYamlBody(body.toString("utf8"));
  throw new ApiError(
    "UnsupportedMediaType",
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(", ")}`,
  );
}

/** The body decoded by its media type, if there is one. */
export function parseBody(request: ApiRequest): unknown {
  if (!request.body || request.body.length === 0) return undefined;
  try {
    return read(request).value;
  } catch (e) {
    throw e instanceof ApiError ? e : new ApiError("BadRequest", (e as Error).message);
  }
}

/** The beginning of a body, for its error message. */
function summary(body: Buffer | undefined): string {
  if (!body || body.length === 0) return "<empty>";
  const form = body[0] === 0x7b ? "utf8" : "hex";
  return body.length > 30 ? `${body.subarray(0, 30).toString(form)} ...` : body.toString(form);
}

/** The Go package of a kind's types, which Kubernetes' messages name. */
const packageOf = ({ group }: ResourceDefinition): string => {
  const [name = ""] = group.split(".");
  return name === "" || name === "events" ? "core" : name;
};

/** The kind and version in the body, where present, are those of the path. */
function checkKind(
  r: ResourceDefinition,
  sent: Readonly<Record<string, unknown>>,
  kinds: Pick<KindRegistry, "ofKind">,
): void {
  const kind = String(sent["kind"] || r.kind);
  const apiVersion = String(sent["apiVersion"] || apiVersionOf(r));
  if (kind === r.kind && apiVersion === apiVersionOf(r)) return;
  const version = apiVersion.slice(apiVersion.indexOf("/") + 1);
  const known = kinds.ofKind(apiVersion, kind);
  if (known && known.kind === r.kind && known.group === r.group)
    throw new ApiError(
      "BadRequest",
      `the API version in the data (${apiVersion}) does not match the expected API version (${apiVersionOf(r)})`,
    );
  const because = known
    ? `converting (${known.version}.${kind}) to (${packageOf(r)}.${r.kind}): unknown conversion`
    : `no kind "${kind}" is registered for version "${apiVersion}" in scheme "pkg/api/legacyscheme/scheme.go:30"`;
  throw unhandled(r, because, { kind, version });
}

const typeOf = (value: unknown): string =>
  Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value;

function readObject(request: ApiRequest, r: ResourceDefinition): Sent & { readonly value: object } {
  try {
    const sent = read(request);
    const { value } = sent;
    if (value === null) return { ...sent, value: {} };
    if (typeof value === "object" && !Array.isArray(value)) return { ...sent, value };
    throw new Error(
      `couldn't get version/kind; json parse error: json: cannot unmarshal ${typeOf(value)} into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`,
    );
  } catch (e) {
    if (e instanceof ApiError) throw e;
    const because = `${(e as Error).message} (${summary(request.body)})`;
    throw new ApiError("BadRequest", `the object provided is unrecognized (must be of type ${r.kind}): ${because}`);
  }
}

/** Handles the errors of strict decoding by the field validation option: refuses, warns, or ignores them. */
export function judgeStrictly(
  strict: () => readonly string[],
  validation: FieldValidation,
  warn: Warn,
  refuse: (because: string) => Error,
): void {
  if (validation === "Ignore") return;
  const errors = strict();
  if (errors.length === 0) return;
  if (validation === "Strict") throw refuse(`strict decoding error: ${errors.join(", ")}`);
  for (const sentence of errors.flatMap(linesOf)) warn(sentence);
}
/** Errors of a YAML document are one text; each line of it becomes a warning. */
const linesOf = (error: string): readonly string[] =>
  error.startsWith("yaml: unmarshal errors:\n") || error.startsWith("error converting YAML to JSON: yaml: unmarshal")
    ? error
        .slice(error.indexOf("\n") + 1)
        .split("\n")
        .map((line) => line.trim())
    : [error];

/** How a body is read: which kinds it may name, and how strictly. */
export interface BodyOptions {
  readonly kinds: Pick<KindRegistry, "ofKind">;
  readonly validation: FieldValidation;
  readonly warn: Warn;
}

/** The object in the body, as the kind's schema reads it. */
export function objectIn(
  request: ApiRequest,
  r: ResourceDefinition,
  { kinds, validation, warn }: BodyOptions,
): Draft<ApiObject> {
  const sent = readObject(request, r);
  checkKind(r, sent.value as Readonly<Record<string, unknown>>, kinds);
  const { value, unknown, wrong } = decode(r.schema, sent.value);
  if (wrong[0]) throw unhandled(r, wrong[0].read);
  // Decoded again for the messages, only when there are any.
  const strict = (): readonly string[] => (unknown.length > 0 || sent.saysTwice() ? sent.strict(r.schema) : []);
  judgeStrictly(strict, validation, warn, (because) => unhandled(r, because));
  return { metadata: {}, ...(value as object) } as Draft<ApiObject>;
}

/** What was sent to be written, and how; `warnings` are filled in while it is written. */
export interface Body extends Pick<WriteQuery, "options"> {
  readonly object: Draft<ApiObject>;
  readonly warnings: ReadonlySet<string>;
}
/** The body of a write, read as an object of this kind. */
export function bodyOf({ registry: { kinds }, request }: Call, kind: ResourceDefinition): Body {
  const warnings = new Set<string>();
  const warn = (sentence: string): void => void warnings.add(sentence);
  const { options, validation } = writeQuery(request, warn);
  return { object: objectIn(request, kind, { kinds, validation, warn }), options, warnings };
}
/** The object, in the namespace of the path. */
export function inNamespace(
  r: ResourceDefinition,
  object: Draft<ApiObject>,
  namespace: string | undefined,
): Draft<ApiObject> {
  const { namespace: namespaceInBody, ...metadata } = object.metadata;
  if (r.scope === "Cluster") return { ...object, metadata };
  if (namespaceInBody && namespaceInBody !== namespace)
    throw new ApiError(
      "BadRequest",
      "the namespace of the provided object does not match the namespace sent on the request",
    );
  return { ...object, metadata: { ...metadata, ...(namespace !== undefined && { namespace }) } };
}
