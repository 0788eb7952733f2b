// VolumeSnapshot, VolumeSnapshotContent and VolumeSnapshotClass: the state of a volume at a time, what it is for its
// driver, and how it is made. Elsewhere they are custom resources that come with the snapshot controller. Source: the
// API of snapshot.storage.k8s.io, KEP-177.
import { age } from "../age.ts";
import { nameColumn } from "../columns.ts";
import type { Problem } from "../errors.ts";
import { type Column, define } from "../kinds.ts";
import { type ApiObject, type Instant, instantOf } from "../meta.ts";
import { invalid, none, together, unfit } from "../problems.ts";
import type { Schema } from "../schema.ts";

export interface SnapshotError {
  readonly message?: string;
  readonly time?: string;
}
export interface VolumeSnapshot extends ApiObject {
  readonly kind: "VolumeSnapshot";
  readonly spec: {
    /** The claim of which a snapshot is made, or the content that exists already. */
    readonly source: { readonly persistentVolumeClaimName?: string; readonly volumeSnapshotContentName?: string };
    readonly volumeSnapshotClassName?: string;
  };
  readonly status?: {
    readonly boundVolumeSnapshotContentName?: string;
    readonly creationTime?: string;
    readonly error?: SnapshotError;
    readonly readyToUse?: boolean;
    /** The least size of a volume that is restored from it, as a quantity. */
    readonly restoreSize?: string;
    readonly volumeGroupSnapshotName?: string;
  };
}
export type DeletionPolicy = "Delete" | "Retain";
export interface VolumeSnapshotContent extends ApiObject {
  readonly kind: "VolumeSnapshotContent";
  readonly spec: {
    readonly deletionPolicy: DeletionPolicy;
    readonly driver: string;
    /** The volume of which a snapshot is made, or the snapshot that exists already. */
    readonly source: { readonly snapshotHandle?: string; readonly volumeHandle?: string };
    readonly sourceVolumeMode?: string;
    readonly volumeSnapshotClassName?: string;
    readonly volumeSnapshotRef: {
      readonly apiVersion?: string;
      readonly kind?: string;
      readonly name?: string;
      readonly namespace?: string;
      readonly resourceVersion?: string;
      readonly uid?: string;
    };
  };
  readonly status?: {
    /** Nanoseconds since the epoch. */
    readonly creationTime?: number;
    readonly error?: SnapshotError;
    readonly readyToUse?: boolean;
    /** In bytes. */
    readonly restoreSize?: number;
    readonly snapshotHandle?: string;
    readonly volumeGroupSnapshotHandle?: string;
  };
}
export interface VolumeSnapshotClass extends ApiObject {
  readonly kind: "VolumeSnapshotClass";
  readonly deletionPolicy: DeletionPolicy;
  readonly driver: string;
  readonly parameters?: Readonly<Record<string, string>>;
}

const group = "snapshot.storage.k8s.io";
const text: Schema = { type: "string" };
const time: Schema = { type: "string", format: "date-time" };
const flag: Schema = { type: "boolean" };
const count: Schema = { type: "integer", format: "int64" };
const policy: Schema = { type: "string", enum: ["Delete", "Retain"] };
const object = (properties: Readonly<Record<string, Schema>>, ...required: readonly string[]): Schema => ({
  type: "object",
  properties,
  ...(required.length > 0 && { required }),
});
const error = object({ message: text, time });
const quantity: Schema = {
  anyOf: [{ type: "integer" }, { type: "string" }],
  "x-kubernetes-int-or-string": true,
  pattern:
    "^(\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))))?$",
};
const root = (fields: Readonly<Record<string, Schema>>, ...required: readonly string[]): Schema =>
  object(
    {
      ...{ apiVersion: text, kind: text },
      metadata: { $ref: "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta" },
      ...fields,
    },
    ...required,
  );

const custom = (kind: string) => ({
  ...{ group, version: "v1", published: `io.k8s.storage.snapshot.v1.${kind}` },
  ...{ generation: "content", allowUnconditionalUpdate: false },
});

type Fields = Readonly<Record<string, unknown>>;

/** A column as custom resources have them: the field at a path, and nothing where it is not set. */
const column = (name: string, path: string, type: NonNullable<Column<ApiObject>["type"]> = "string") => ({
  ...{ name, type },
  cell(object: ApiObject, now: Instant): string | number | boolean {
    const value = path.split(".").reduce<unknown>((at, field) => (at as Fields | undefined)?.[field], object);
    if (type === "date" && typeof value === "string") return age(instantOf(value), now);
    return (value ?? "") as string | number | boolean;
  },
});

/** One of the two fields is set, and what is set does not change. */
function validateChoice(source: Fields, old: Fields | undefined, path: string, [a, b]: readonly [string, string]) {
  return together(
    [a, b].flatMap((field): readonly Problem[] => {
      const before = old?.[field];
      if (before === undefined || source[field] === before) return none;
      return source[field] === undefined
        ? [unfit(path, `${field} is required once set`)]
        : [invalid(`${path}.${field}`, source[field], `${field} is immutable`)];
    }),
    (source[a] === undefined) === (source[b] === undefined) && unfit(path, `exactly one of ${a} and ${b} must be set`),
  );
}

export const volumeSnapshots = define<VolumeSnapshot>({
  ...custom("VolumeSnapshot"),
  kind: "VolumeSnapshot",
  shortNames: ["vs"],
  scope: "Namespaced",
  subresources: ["status"],
  schema: root(
    {
      spec: object(
        {
          source: object({ persistentVolumeClaimName: text, volumeSnapshotContentName: text }),
          volumeSnapshotClassName: text,
        },
        "source",
      ),
      status: object({
        ...{ boundVolumeSnapshotContentName: text, creationTime: time, error, readyToUse: flag },
        ...{ restoreSize: quantity, volumeGroupSnapshotName: text },
      }),
    },
    "spec",
  ),
  validate: ({ spec }, old) =>
    together(
      spec?.source &&
        validateChoice(spec.source, old?.spec?.source, "spec.source", [
          "volumeSnapshotContentName",
          "persistentVolumeClaimName",
        ]),
      spec?.volumeSnapshotClassName === "" &&
        invalid("spec.volumeSnapshotClassName", "", "volumeSnapshotClassName must not be the empty string when set"),
    ),
  columns: [
    nameColumn,
    column("ReadyToUse", "status.readyToUse", "boolean"),
    column("SourcePVC", "spec.source.persistentVolumeClaimName"),
    column("SourceSnapshotContent", "spec.source.volumeSnapshotContentName"),
    column("RestoreSize", "status.restoreSize"),
    column("SnapshotClass", "spec.volumeSnapshotClassName"),
    column("SnapshotContent", "status.boundVolumeSnapshotContentName"),
    column("CreationTime", "status.creationTime", "date"),
    column("Age", "metadata.creationTimestamp", "date"),
  ],
});

export const volumeSnapshotContents = define<VolumeSnapshotContent>({
  ...custom("VolumeSnapshotContent"),
  kind: "VolumeSnapshotContent",
  shortNames: ["vsc", "vscs"],
  scope: "Cluster",
  subresources: ["status"],
  schema: root(
    {
      spec: object(
        {
          deletionPolicy: policy,
          driver: text,
          source: object({ snapshotHandle: text, volumeHandle: text }),
          sourceVolumeMode: text,
          volumeSnapshotClassName: text,
          volumeSnapshotRef: {
            ...object({
              ...{ apiVersion: text, fieldPath: text, kind: text, name: text },
              ...{ namespace: text, resourceVersion: text, uid: text },
            }),
            "x-kubernetes-map-type": "atomic",
          },
        },
        ...["deletionPolicy", "driver", "source", "volumeSnapshotRef"],
      ),
      status: object({
        ...{ creationTime: count, error, readyToUse: flag, restoreSize: { ...count, minimum: 0 } },
        ...{ snapshotHandle: text, volumeGroupSnapshotHandle: text },
      }),
    },
    "spec",
  ),
  validate: ({ spec }, old) => {
    const { source, volumeSnapshotRef: reference, sourceVolumeMode: mode } = spec ?? {};
    const modeBefore = old?.spec?.sourceVolumeMode;
    return together(
      source && validateChoice(source, old?.spec?.source, "spec.source", ["volumeHandle", "snapshotHandle"]),
      modeBefore !== undefined &&
        mode !== modeBefore &&
        (mode === undefined
          ? unfit("spec", "sourceVolumeMode is required once set")
          : invalid("spec.sourceVolumeMode", mode, "sourceVolumeMode is immutable")),
      reference &&
        (reference.name === undefined || reference.namespace === undefined) &&
        unfit(
          "spec.volumeSnapshotRef",
          "both spec.volumeSnapshotRef.name and spec.volumeSnapshotRef.namespace must be set",
        ),
    );
  },
  columns: [
    nameColumn,
    column("ReadyToUse", "status.readyToUse", "boolean"),
    column("RestoreSize", "status.restoreSize", "integer"),
    column("DeletionPolicy", "spec.deletionPolicy"),
    column("Driver", "spec.driver"),
    column("VolumeSnapshotClass", "spec.volumeSnapshotClassName"),
    column("VolumeSnapshot", "spec.volumeSnapshotRef.name"),
    column("VolumeSnapshotNamespace", "spec.volumeSnapshotRef.namespace"),
    column("Age", "metadata.creationTimestamp", "date"),
  ],
});

export const volumeSnapshotClasses = define<VolumeSnapshotClass>({
  ...custom("VolumeSnapshotClass"),
  kind: "VolumeSnapshotClass",
  shortNames: ["vsclass", "vsclasses"],
  scope: "Cluster",
  schema: root(
    { deletionPolicy: policy, driver: text, parameters: { type: "object", additionalProperties: text } },
    ...["deletionPolicy", "driver"],
  ),
  columns: [
    nameColumn,
    column("Driver", "driver"),
    column("DeletionPolicy", "deletionPolicy"),
    column("Age", "metadata.creationTimestamp", "date"),
  ],
});
