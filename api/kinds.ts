// A kind as data. The definition is also the typed handle: `client.list(pods)` returns `Pod`s.
import { withDefaults } from "./defaulting.ts";
import type { Problem } from "./errors.ts";
import { flatText } from "./flat-text.ts";
import { formats } from "./formats.ts";
import type { JSONSchemaProps } from "./generated/types.ts";
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
  readonly description?: string;
  /** Null where the object has no value. */
  cell(object: T, now: Instant): string | number | boolean | null;
}

/** Where an object of a custom kind has what its scale shows, as fields from the top. */
export interface ScalePaths {
  readonly specReplicas: readonly string[];
  readonly statusReplicas: readonly string[];
  readonly labelSelector?: readonly string[];
}

/**
 * A version of a kind that is stored as another one, such as `autoscaling/v1` as `autoscaling/v2`. Both directions are
 * pure, and what the other version cannot express must survive a round trip.
 */
export interface VersionConversion {
  readonly of: ResourceDefinition;
  /** Names of fields in the stored version, by those in this one: for field selectors. */
  readonly fields?: Readonly<Record<string, string>>;
  /** `old` is the stored object, on an update. */
  toStored(object: Draft<ApiObject>, old: ApiObject | undefined): Draft<ApiObject>;
  fromStored(object: ApiObject): ApiObject;
}

/** A method, for the same reason as those of a definition. */
interface FieldReader<T> {
  read(object: T): string;
}

type StatusOf<T> = T extends { readonly status?: infer S } ? S : object;

/** Methods rather than function properties, so that a definition of Pods is assignable to one of any object. */
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
  /** The source of decoding, pruning, defaults, validation, merge keys, OpenAPI and `explain`. */
  readonly schema: Schema;
  /** Name the schema is published under; `kubectl explain` prints it. */
  readonly published: string;
  /**
   * Never stored: measured on request, like the usage of pods; the metrics of programs, of which each is a resource of
   * its own; or a review whose status is computed in the request that creates it, like a SubjectAccessReview.
   */
  readonly virtual?: "measured" | "metric" | "review";
  /** Created through a subresource of another kind's object, whose name it has. */
  readonly subresourceOf?: {
    readonly of: Pick<ResourceDefinition, "group" | "version" | "plural">;
    readonly subresource: Subresource;
  };
  /** Defined by a CustomResourceDefinition. */
  readonly custom?: true;
  /** The schema as its definition has it, which is published instead of `schema`. */
  readonly openApi?: JSONSchemaProps;
  /** Unless it has the fields of the built-in kinds. */
  readonly scaled?: ScalePaths;
  /** Stored as another kind; or as itself, when what is stored may be of an earlier schema. */
  readonly form?: VersionConversion;
  /**
   * Fills in unset fields: the schema's defaults, then the kind's own. Parts identical to those of `old` are complete.
   * Pure and idempotent.
   */
  defaults(draft: Draft<T>, old?: T): Draft<T>;
  /** Defaults of a write of the status subresource. */
  statusDefaults(status: NonNullable<StatusOf<T>>): NonNullable<StatusOf<T>>;
  /** Completes a new object once it has a name and a uid; not called on update. Pure. */
  onCreate(object: T): T;
  /**
   * Validates the name, the object by its schema and the rules of its types, then by the kind's own code. `old` is
   * present on update, for immutable fields. Pure.
   */
  validate(object: Draft<T>, old?: T): readonly Problem[];
  /** Validates a write of the status subresource. Pure. */
  validateStatus(object: T, old: T): readonly Problem[];
  /** Texts of Warning headers: what is valid but probably a mistake. Pure. */
  warnings(object: Draft<T>, old?: T): readonly string[];
  /** The Warning header of every response for a deprecated kind. */
  readonly deprecated?: string;
  /** Columns of `kubectl get`; without any it shows the name and the time of creation. */
  readonly columns: readonly Column<T>[];
  /** The reason of a completed object: a table row condition that lets clients hide it. Pure. */
  completed?(object: T): { readonly reason: string; readonly message: string } | undefined;
  /** Fields that field selectors support beside `metadata.name` and `metadata.namespace`. */
  readonly selectable: Readonly<Record<string, FieldReader<T>["read"]>>;
  /**
   * What raises `metadata.generation` when it changes: one field, such as `spec`, or `content`, everything but the
   * status. With `none` there is no generation.
   */
  readonly generation: string;
  /** Whether an update creates an object that does not exist. */
  readonly allowCreateOnUpdate: boolean;
  /** Whether an update may leave out `resourceVersion`, and so overwrite any version. */
  readonly allowUnconditionalUpdate: boolean;
}

interface Validation {
  /** Rules of the types in this kind's schema that a schema cannot express. */
  readonly rules?: Rules;
  /** How names of objects are written; most are subdomains. */
  readonly nameFormat?: "k8s-long-name" | "k8s-short-name" | "path-segment" | "any";
}
/** A kind as its file declares it. Its own defaults and validation come after those of the schema. */
type Declaration<T extends ApiObject> = Pick<ResourceDefinition<T>, "group" | "kind" | "scope"> &
  Partial<ResourceDefinition<T>> &
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

/** Defaults and validation of a kind: those of its schema, then those of its definition. */
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
        !old && object.metadata.name !== undefined && validateName(object.metadata.name as never, "metadata.name"),
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

/** Whether objects of this kind are stored, and in this version. */
export const isStored = (r: ResourceDefinition): boolean =>
  r.virtual === undefined && (r.form === undefined || r.form.of === r);

/** `apps/v1`, or `v1` for the core group. */
export const apiVersionOf = (r: { readonly group: string; readonly version: string }): string =>
  r.group === "" ? r.version : flatText(r.group, "/", r.version);
/** `deployments.apps`, as error messages name a resource. */
export const qualified = (r: { readonly group: string; readonly plural: string }): string =>
  r.group === "" ? r.plural : `${r.plural}.${r.group}`;
