// PATCH: parses the body by its media type, and checks the patched object.
import { ApiError } from "../../api/errors.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import type { ApiObject } from "../../api/meta.ts";
import { invalid } from "../../api/problems.ts";
import { type Schema, decode } from "../../api/schema.ts";
import type { Patch } from "../../machinery/client.ts";
import { fieldsIn, outlineOf, tooDeep, strictErrors, untyped } from "../documents/json-syntax.ts";
import { type Warn, type WriteQuery, judgeStrictly, mediaType, writeQuery } from "../request/body.ts";
import { inOrder, readYaml, unmarshalErrors } from "../documents/yaml.ts";
import { withDistinctOwners } from "../registry/prepare.ts";
import { isObject, printed } from "../registry/patch/strategic.ts";
import { invalid as refused } from "../registry/refusals.ts";
import { patched } from "../registry/patching.ts";
import { type Call, type ApiReply, type ApiRequest, targetOf } from "../request/request-response.ts";
import { replyStored, viewOf } from "../response/render.ts";
import { warned } from "../response/encode.ts";

const [json, merge, strategic, apply] = [
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
  "application/apply-patch+yaml",
] as const;
const accepted: readonly string[] = [json, merge, strategic, apply];
/** Custom resources have no merge keys that a strategic patch would need. */
const acceptedByCustom: readonly string[] = [json, merge, apply];

/** The fields of an operation of a JSON patch. */
const steps: Schema = {
  type: "array",
  items: { type: "object", properties: { op: {}, path: {}, from: {}, value: untyped } },
};

/** A patch as it was sent, and the errors of strict decoding in it alone. */
export interface SentPatch {
  readonly patch: Patch;
  strict(): readonly string[];
}

const badRequest = (because: string): ApiError => new ApiError("BadRequest", because);
const typeOf = (value: unknown): string =>
  Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value;

function appliedIn(text: string, manager: string, force: boolean): SentPatch {
  const errors = (twice: readonly string[]): readonly string[] =>
    twice.length === 0 ? [] : [`error converting YAML to JSON: ${unmarshalErrors(twice)}`];
  const asObject = (object: unknown): object => {
    if (isObject(object)) return object;
    throw badRequest(
      `error decoding patch: error unmarshaling JSON: json: cannot unmarshal ${typeOf(object)} into Go value of type map[string]interface {}`,
    );
  };
  // Nearly always JSON, which parses far faster than YAML; only duplicate fields need YAML's line numbers.
  if (text.trimStart().startsWith("{")) {
    try {
      const object = JSON.parse(text) as object;
      const strict = (): readonly string[] =>
        fieldsIn(object) < outlineOf(text).fields ? errors(readYaml(text).twice) : [];
      return { patch: { type: "apply", object, fieldManager: manager, force }, strict };
    } catch {
      // Not JSON: read as YAML.
    }
  }
  try {
    const { value, twice } = readYaml(text);
    const object = asObject(inOrder(value));
    return { patch: { type: "apply", object, fieldManager: manager, force }, strict: () => errors(twice) };
  } catch (e) {
    throw e instanceof ApiError
      ? e
      : badRequest(`error encoding patch: error converting YAML to JSON: ${(e as Error).message}`);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw badRequest("invalid JSON patch");
  }
}

/** The type a patch is sent as; what is no patch is refused. */
export function patchTypeOf(request: ApiRequest, r: ResourceDefinition): string {
  const type = mediaType(request);
  const known = r.custom ? acceptedByCustom : accepted;
  if (request.headers["content-type"] !== undefined && known.includes(type)) return type;
  throw new ApiError(
    "UnsupportedMediaType",
    `the body of the request was in an unknown format - accepted media types include: ${known.join(", ")}`,
  );
}

/** The patch in the body. */
export function patchIn(
  request: ApiRequest,
  r: ResourceDefinition,
  { options, force }: Pick<WriteQuery, "options" | "force">,
): SentPatch {
  const type = patchTypeOf(request, r);
  const text = request.body?.toString("utf8") ?? "";
  if (outlineOf(text).isTooDeep) throw badRequest(`error decoding patch: ${tooDeep}`);
  if (type === apply) return appliedIn(text, options.manager ?? "", force);
  const body = parsed(text);
  request.audit?.sends(body);
  if (type === json) {
    if (!Array.isArray(body))
      throw badRequest(
        `error decoding patch: json: cannot unmarshal ${typeOf(body)} into Go value of type []handlers.jsonPatchOp`,
      );
    const strict = (): readonly string[] => strictErrors(text, steps).map((error) => `json patch ${error}`);
    return { patch: { type: "json", operations: body }, strict };
  }
  const prefix = type === merge ? "error decoding patch: " : "";
  if (!isObject(body))
    throw badRequest(`${prefix}json: cannot unmarshal ${typeOf(body)} into Go value of type map[string]interface {}`);
  return {
    patch: { type: type === merge ? "merge" : "strategic", patch: body },
    strict: () => strictErrors(text, untyped),
  };
}

/** Decodes the patched object, and refuses wrong types and, by the field validation, unknown and duplicate fields. */
function inspecting(
  r: ResourceDefinition,
  { patch, strict }: SentPatch,
  { validation }: WriteQuery,
  warn: Warn,
): (object: ApiObject, current: ApiObject) => ApiObject {
  return (object, current) => {
    if (patch.type === "apply") return object;
    const { value, unknown, wrong } = decode(r.schema, object, current);
    const isStrategic = patch.type === "strategic";
    const refuse = (because: string): ApiError => {
      const shown = isStrategic ? printed(patch.patch) : JSON.stringify(object);
      return refused({ group: "", kind: "", plural: "" }, "", [invalid("patch", shown, because)]);
    };
    if (wrong[0]) throw refuse(isStrategic ? wrong[0].converted : wrong[0].read);
    const unknownFields = unknown.map((path) => `unknown field ${JSON.stringify(path)}`).toSorted();
    judgeStrictly(() => [...strict(), ...unknownFields], validation, warn, refuse);
    return withDistinctOwners(value as ApiObject, warn, " after mutating admission happens");
  };
}

/** Patches an object or a subresource. */
export async function patchRequest(call: Call): Promise<ApiReply> {
  const { registry, r, subresource, request } = call;
  const view = viewOf(request, registry.world.clock.now());
  const warnings = new Set<string>();
  const warn: Warn = (sentence) => void warnings.add(sentence);
  const query = writeQuery(request, warn, patchTypeOf(request, r));
  const sent = patchIn(request, r, query);
  if (sent.patch.type === "apply")
    judgeStrictly(sent.strict, query.validation, warn, (because) =>
      badRequest(`error strict decoding patch: ${because.slice("strict decoding error: ".length)}`),
    );
  const options = { ...query.options, inspect: inspecting(subresource?.bodyKind ?? r, sent, query, warn) };
  const { stored, created } = await patched(registry, targetOf(call), sent.patch, options);
  return warned(replyStored(call, stored, view, created ? 201 : 200), warnings);
}
