// What a kind is, as data. The definition is also the handle: pass `pods`, get `Pod`s back.
import type { Problem } from "./errors.ts";
import type { ApiObject, Draft, Instant } from "./meta.ts";
import type { Schema } from "./schema.ts";

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
  /** Fill in what the user left out and a schema cannot say. Pure and idempotent. */
  defaults(draft: Draft<T>): Draft<T>;
  /** The same for a status that is written by itself. */
  statusDefaults?(status: NonNullable<StatusOf<T>>): NonNullable<StatusOf<T>>;
  /** What a new object is given once, when it has a name and a uid, and never again on update. Pure. */
  onCreate(object: T): T;
  /** Say what is wrong; `old` is present on update, for immutable fields. Pure. */
  validate(object: Draft<T>, old?: T): readonly Problem[];
  /** Say what is wrong with a status that is written by itself. Pure. */
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

/** What every kind may leave unsaid. */
type Optional =
  | "singular"
  | "shortNames"
  | "categories"
  | "subresources"
  | "defaults"
  | "onCreate"
  | "validate"
  | "validateStatus"
  | "warnings"
  | "columns"
  | "selectable"
  | "generation"
  | "allowCreateOnUpdate"
  | "allowUnconditionalUpdate"
  | "schema";

/** Complete a definition. The schema is looked up by its published name unless the kind brings its own. */
export function define<T extends ApiObject>(
  given: Omit<ResourceDefinition<T>, Optional> &
    Partial<Pick<ResourceDefinition<T>, Optional>> & { readonly schema: Schema },
): ResourceDefinition<T> {
  return {
    singular: given.kind.toLowerCase(),
    shortNames: [],
    categories: [],
    subresources: [],
    defaults: (draft) => draft,
    onCreate: (object) => object,
    validate: () => [],
    validateStatus: () => [],
    warnings: () => [],
    columns: [],
    selectable: {},
    generation: "none",
    allowCreateOnUpdate: false,
    allowUnconditionalUpdate: true,
    ...given,
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
