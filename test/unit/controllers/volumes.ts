// Claims, volumes and classes for tables, and a store of them that refuses writes of old versions.
import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from "../../../api/generated/types.ts";
import { type ApiObject, keyOf } from "../../../api/meta.ts";
import type { Action } from "../../../machinery/action.ts";
import { asStored, carryOut } from "./world.ts";

export interface ClaimFields {
  readonly name?: string;
  readonly metadata?: object;
  readonly spec?: object;
  readonly status?: object;
}
export const claim = ({ name = "data", metadata, spec, status }: ClaimFields = {}): PersistentVolumeClaim =>
  asStored<PersistentVolumeClaim>({
    kind: "PersistentVolumeClaim",
    metadata: { name, namespace: "default", uid: `uid-of-${name}`, ...metadata },
    spec: {
      accessModes: ["ReadWriteOnce"],
      resources: { requests: { storage: "1Gi" } },
      storageClassName: "",
      volumeMode: "Filesystem",
      ...spec,
    },
    status: { phase: "Pending", ...status },
  });

export const volume = ({ name = "pv", metadata, spec, status }: ClaimFields = {}): PersistentVolume =>
  asStored<PersistentVolume>({
    kind: "PersistentVolume",
    metadata: { name, ...metadata },
    spec: {
      accessModes: ["ReadWriteOnce"],
      capacity: { storage: "1Gi" },
      persistentVolumeReclaimPolicy: "Retain",
      volumeMode: "Filesystem",
      hostPath: { path: "/data" },
      ...spec,
    },
    status: { phase: "Available", ...status },
  });

export const storageClass = (name: string, more: object = {}, metadata: object = {}): StorageClass =>
  asStored<StorageClass>({
    kind: "StorageClass",
    metadata: { name, ...metadata },
    provisioner: "local.csi.orrery.dev",
    reclaimPolicy: "Delete",
    volumeBindingMode: "Immediate",
    ...more,
  });

/** A reference to the claim. */
export const claimRef = ({ metadata: { name, namespace, uid, resourceVersion } }: PersistentVolumeClaim): object => ({
  ...{ apiVersion: "v1", kind: "PersistentVolumeClaim", namespace, name, uid, resourceVersion },
});

const idOf = (o: ApiObject): string => `${o.kind}/${keyOf(o)}`;

/** The objects as they are, and as they were after each write. */
export interface Store {
  readonly history: readonly (readonly ApiObject[])[];
  now(): readonly ApiObject[];
  /** Carries the action out unless its object is not the stored version. */
  write(action: Action): boolean;
}
export function store(initial: readonly ApiObject[]): Store {
  let revision = 1;
  const versioned = (objects: readonly ApiObject[], before: readonly ApiObject[]): readonly ApiObject[] =>
    objects.map((o) =>
      before.includes(o) ? o : { ...o, metadata: { ...o.metadata, resourceVersion: String(++revision) } },
    );
  const history = [versioned(initial, [])];
  const now = (): readonly ApiObject[] => history.at(-1)!;
  return {
    history,
    now,
    write(action) {
      if (action.do === "event") return true;
      if (action.do !== "create") {
        const stored = now().find((o) => idOf(o) === idOf(action.object));
        if (stored?.metadata.resourceVersion !== action.object.metadata.resourceVersion) return false;
      } else if (now().some((o) => o.kind === action.draft.kind && o.metadata.name === action.draft.metadata.name))
        return false;
      history.push(versioned(carryOut([action], now()), now()));
      return true;
    },
  };
}

export const revisionIn = (objects: readonly ApiObject[]): number =>
  Math.max(0, ...objects.map(({ metadata }) => Number(metadata.resourceVersion)));
