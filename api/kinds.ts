// What a kind is, as data. The definition is also the handle: pass `pods`, get `Pod`s back.
import { withDefaults } from "./defaulting.ts";
import type { Problem } from "./errors.ts";
import { formats } from "./formats.ts";
import type { ApiObject, Draft, Instant } from "./meta.ts";
import { none, together } from "./problems.ts";
import { resolve, type Schema, schemaOf } from "./schema.ts";
import { problemsAt, problemsOf, type Rules } from "./validation.ts";

export type Subresource =
  | "status"
  | "scale"
  | "binding"
  | "finalize"
  | "eviction"
  | "approval"
  | "token"
  | "ephemeralcontainers"
  | "resize"
  | "log"
  | "exec"
  | "attach"
  | "portforward"
  | "proxy";

/** A column of `kubectl get`. Priority 0 is always shown, 1 with `-o wide`. */
export interface Column<T> {
  readonly name: string;
  readonly type?: "string" | "integer" | "boolean" | "date";
  readonly priority?: 0 | 1;
  readonly format?: "name";
  cell(object: T, now: Instant): string | number | boolean;
}

interface Reader<T> {
  read(object: T): string;
}

/**
 * A kind that is another one in other words, such as `autoscaling/v1` of `autoscaling/v2`: served by itself, stored as
 * that one. Both directions are pure, and what the other words cannot say must survive the way there and back.
 */
export interface VersionConversion {
  readonly of: ResourceDefinition;
  /** Field selectors in our words, by the other's. */
  readonly fields?: Readonly<Record<string, string>>;
  /** `old` is what stands there, when something does. */
  toStored(object: Draft<ApiObject>, old: ApiObject | undefined): Draft<ApiObject>;
  fromStored(object: ApiObject): ApiObject;
}

type StatusOf<T> = T extends { readonly status?: infer S } ? S : object;

/** Methods, not function properties: a definition of Pods must be usable where any definition will do. */
export interface ResourceDefinition<T extends ApiObject = ApiObject> {
  readonly group: string;
  readonly version: string;
  readonly kind: T["kind"];
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly scope: "Namespaced" | "Cluster";
  readonly subresources: readonly Subresource[];
  /** Everything about shape derives from it: decoding, pruning, merge keys, OpenAPI, `explain`. */
  readonly schema: Schema;
  /** Name the schema is published under; `kubectl explain` prints it. */
  readonly published: string;
  /**
   * Never stored: measured when asked for, like what the kubelets' pods use, or a question that is created and
   * answered in one, like a SubjectAccessReview.
   */
  readonly virtual?: "measured" | "review";
  /** Created through a subresource of another kind's object, whose name it bears. */
  readonly subresourceOf?: {
    readonly of: Pick<ResourceDefinition, "group" | "version" | "plural">;
    readonly subresource: Subresource;
  };
  /** Stored as another kind. */
  readonly form?: VersionConversion;
  /**
   * Fills in what was left out: the schema's defaults, then the kind's own. Parts that are the very parts of `old` are
   * complete. Pure and idempotent.
   */
  defaults(draft: Draft<T>, old?: T): Draft<T>;
  /** The same for a status that is written by itself. */
  statusDefaults(status: NonNullable<StatusOf<T>>): NonNullable<StatusOf<T>>;
  /** What a new object is given once, when it has a name and a uid, and never again on update. Pure. */
  onCreate(object: T): T;
  /**
   * What is wrong: with the name, by the schema and the rules of its types, then by the kind's own validation. `old` is
   * present on update, for immutable fields. Pure.
   */
  validate(object: Draft<T>, old?: T): readonly Problem[];
  /** What is wrong with a status that is written by itself. Pure. */
  validateStatus(object: T, old: T): readonly Problem[];
  /** What a writer should know although nothing is wrong: sentences for Warning headers. Pure. */
  warnings(object: Draft<T>, old?: T): readonly string[];
  /** Why the kind had better not be used any more: whoever asks for it, for whatever, is told. */
  readonly deprecated?: string;
  readonly columns: readonly Column<T>[];
  /** How an object has run its course, if it has: whoever shows it in a table may leave it out. Pure. */
  completed?(object: T): { readonly reason: string; readonly message: string } | undefined;
  /** Fields a field selector may name, beside `metadata.name` and `metadata.namespace`. */
  readonly selectable: Readonly<Record<string, Reader<T>["read"]>>;
  /**
   * What raises `metadata.generation` when it changes: one field, such as `spec`, or `content`, which is all there is
   * beside the status. With `none` there is no generation.
   */
  readonly generation: string;
  /** Whether an update of what is not there makes it. */
  readonly allowCreateOnUpdate: boolean;
  /** Whether an update may leave out which revision it was made for, and so win over all of them. */
  readonly allowUnconditionalUpdate: boolean;
}

/** What every kind may leave out. */
type Optional =
  | "version"
  | "plural"
  | "published"
  | "singular"
  | "shortNames"
  | "categories"
  | "subresources"
  | "defaults"
  | "statusDefaults"
  | "onCreate"
  | "validate"
  | "validateStatus"
  | "warnings"
  | "columns"
  | "selectable"
  | "generation"
  | "allowCreateOnUpdate"
  | "allowUnconditionalUpdate"
  | "published"
  | "schema";

interface Validation {
  /** Rules of the types in this kind's schema, for what a schema cannot say. */
  readonly rules?: Rules;
  /** How names of objects are written; most are subdomains. */
  readonly nameFormat?: "k8s-long-name" | "k8s-short-name" | "path-segment" | "any";
}
/** A kind as its file declares it. Its own defaults and validation come after those of the schema. */
type Declaration<T extends ApiObject> = Omit<ResourceDefinition<T>, Optional> &
  Partial<Pick<ResourceDefinition<T>, Optional>> &
  Validation;

/** A schema without some of its fields. */
function without(schema: Schema, names: readonly string[]): Schema {
  const { properties = {}, ...rest } = resolve(schema);
  return { ...rest, properties: Object.fromEntries(Object.entries(properties).filter(([n]) => !names.includes(n))) };
}

type Behaviour<T extends ApiObject> = Pick<
  ResourceDefinition<T>,
  "defaults" | "statusDefaults" | "validate" | "validateStatus"
>;

/** Defaults and validation of a kind: what its schema says, and then what its own file says. */
function behaviour<T extends ApiObject>(kind: Declaration<T>, schema: Schema): Behaviour<T> {
  const { subresources = [], nameFormat = (kind.virtual ?? kind.form) ? "any" : "k8s-long-name", rules } = kind;
  const hasStatus = subresources.includes("status");
  // Metadata is validated alike for all kinds, and a status of its own where it is written.
  const body = without(schema, ["metadata", ...(hasStatus ? ["status"] : [])]);
  const statusSchema = (hasStatus && resolve(schema).properties?.["status"]) || {};
  const validateName = formats[nameFormat] ?? (() => none);
  const statusOf = (object: T | Draft<T>): unknown => (object as { readonly status?: unknown }).status;
  return {
    defaults: (draft, old) => {
      const full = withDefaults(schema, draft, old);
      return kind.defaults?.(full, old) ?? full;
    },
    statusDefaults: (status) => {
      const full = withDefaults(statusSchema, status);
      return kind.statusDefaults?.(full) ?? full;
    },
    validate: (object, old) =>
      together(
        old || object.metadata.name === undefined ? none : validateName(object.metadata.name as never, "metadata.name"),
        problemsOf(body, object, old, rules),
        kind.validate?.(object, old) ?? none,
      ),
    validateStatus: (object, old) =>
      together(
        problemsAt("status", statusSchema, statusOf(object) ?? {}, statusOf(old) ?? {}, rules),
        kind.validateStatus?.(object, old) ?? none,
      ),
  };
}

/** The plural of a kind where it is regular: `NetworkPolicy`, `networkpolicies`. */
const pluralOf = (kind: string): string => `${kind.replace(/s$/, "se").replace(/y$/, "ie").toLowerCase()}s`;
/** The package of a group: `storage.k8s.io` is published as `storage`, and the group without a name as `core`. */
const packageOf = (group: string): string => group.split(".")[0] || "core";

/** Completes a definition. The schema is looked up by its published name unless the kind brings its own. */
export function define<T extends ApiObject>(kind: Declaration<T>): ResourceDefinition<T> {
  const { version = "v1" } = kind;
  const { published = `io.k8s.api.${packageOf(kind.group)}.${version}.${kind.kind}` } = kind;
  const schema = kind.schema ?? schemaOf(published);
  return {
    version,
    published,
    plural: pluralOf(kind.kind),
    singular: kind.kind.toLowerCase(),
    shortNames: [],
    categories: [],
    subresources: [],
    onCreate: (object) => object,
    warnings: () => [],
    columns: [],
    selectable: {},
    generation: "none",
    allowCreateOnUpdate: false,
    allowUnconditionalUpdate: true,
    ...kind,
    schema,
    ...behaviour(kind, schema),
  };
}

/** Whether objects of this kind are in the log as what they are. */
export const isStored = (r: ResourceDefinition): boolean => r.virtual === undefined && r.form === undefined;

/** `apps/v1`, or `v1` for the core group. */
export const apiVersionOf = (r: { readonly group: string; readonly version: string }): string =>
  r.group === "" ? r.version : `${r.group}/${r.version}`;
/** `deployments.apps`, as error messages name a resource. */
export const qualified = (r: { readonly group: string; readonly plural: string }): string =>
  r.group === "" ? r.plural : `${r.plural}.${r.group}`;
