// Snapshots: what is refused, in the words of the custom resources they are elsewhere, and what `kubectl get` shows.
import { expect, test } from "vitest";
import { instant } from "../../../api/meta.ts";
import type { ResourceDefinition } from "../../../api/kinds.ts";
import {
  volumeSnapshotClasses,
  volumeSnapshotContents,
  volumeSnapshots,
} from "../../../api/snapshot/volumesnapshots.ts";

const snapshot = (spec: object) => ({ kind: "VolumeSnapshot", metadata: { name: "s", namespace: "default" }, spec });
const content = (spec: object) => ({
  kind: "VolumeSnapshotContent",
  metadata: { name: "c" },
  spec: {
    ...{ deletionPolicy: "Delete", driver: "d", source: { volumeHandle: "v" } },
    volumeSnapshotRef: { name: "s", namespace: "default" },
    ...spec,
  },
});
const choice = "exactly one of volumeSnapshotContentName and persistentVolumeClaimName must be set";
type Row = readonly [string, ResourceDefinition<any>, object, object | undefined, readonly string[]];
const rows: readonly Row[] = [
  ["of a claim", volumeSnapshots, snapshot({ source: { persistentVolumeClaimName: "a" } }), undefined, []],
  ["without spec", volumeSnapshots, { ...snapshot({}), spec: undefined }, undefined, ["spec: Required value"]],
  ["without source", volumeSnapshots, snapshot({}), undefined, ["spec.source: Required value"]],
  ["of nothing", volumeSnapshots, snapshot({ source: {} }), undefined, [`spec.source: Invalid value: ${choice}`]],
  [
    "of two, of no class",
    volumeSnapshots,
    snapshot({
      ...{ source: { persistentVolumeClaimName: "a", volumeSnapshotContentName: "b" } },
      volumeSnapshotClassName: "",
    }),
    undefined,
    [
      `spec.source: Invalid value: ${choice}`,
      'spec.volumeSnapshotClassName: Invalid value: "": volumeSnapshotClassName must not be the empty string when set',
    ],
  ],
  [
    "of another claim than before",
    volumeSnapshots,
    snapshot({ source: { persistentVolumeClaimName: "b" } }),
    snapshot({ source: { persistentVolumeClaimName: "a" } }),
    ['spec.source.persistentVolumeClaimName: Invalid value: "b": persistentVolumeClaimName is immutable'],
  ],
  [
    "of a content instead of a claim",
    volumeSnapshots,
    snapshot({ source: { volumeSnapshotContentName: "b" } }),
    snapshot({ source: { persistentVolumeClaimName: "a" } }),
    ["spec.source: Invalid value: persistentVolumeClaimName is required once set"],
  ],
  ["a content", volumeSnapshotContents, content({}), undefined, []],
  [
    "a content with another policy, for no snapshot",
    volumeSnapshotContents,
    content({ deletionPolicy: "Keep", volumeSnapshotRef: { name: "s" } }),
    undefined,
    [
      'spec.deletionPolicy: Unsupported value: "Keep": supported values: "Delete", "Retain"',
      "spec.volumeSnapshotRef: Invalid value: both spec.volumeSnapshotRef.name and spec.volumeSnapshotRef.namespace must be set",
    ],
  ],
  [
    "a content of another mode than before",
    volumeSnapshotContents,
    content({ sourceVolumeMode: "Block" }),
    content({ sourceVolumeMode: "Filesystem" }),
    ['spec.sourceVolumeMode: Invalid value: "Block": sourceVolumeMode is immutable'],
  ],
  [
    "a class without driver",
    volumeSnapshotClasses,
    { kind: "VolumeSnapshotClass", metadata: { name: "a" }, deletionPolicy: "Delete" },
    undefined,
    ["driver: Required value"],
  ],
];
for (const [what, kind, object, old, expected] of rows)
  test(`validation of a snapshot ${what}`, () =>
    expect(kind.validate(object as never, old as never).map((p) => `${p.path}: ${p.message}`)).toEqual(expected));

const made = { creationTimestamp: "2026-01-01T00:00:00Z" };
const now = instant(Date.parse("2026-01-01T00:05:00Z"));
const shown = (kind: ResourceDefinition<any>, object: object) => kind.columns.map((c) => c.cell(object as never, now));
test("columns of a snapshot, before and after it is made", () => {
  const unmade = snapshot({ source: { persistentVolumeClaimName: "a" } });
  const metadata = { ...unmade.metadata, ...made };
  expect(shown(volumeSnapshots, { ...unmade, metadata })).toEqual(["s", "", "a", "", "", "", "", "", "5m"]);
  const status = {
    ...{ readyToUse: true, restoreSize: "1Gi", creationTime: "2026-01-01T00:04:00Z" },
    boundVolumeSnapshotContentName: "c",
  };
  const row = ["s", true, "a", "", "1Gi", "", "c", "60s", "5m"];
  expect(shown(volumeSnapshots, { ...unmade, metadata, status })).toEqual(row);
});
test("columns of a content and of a class", () => {
  const one = content({ volumeSnapshotClassName: "local" });
  const object = { ...one, metadata: { ...one.metadata, ...made }, status: { readyToUse: false, restoreSize: 5 } };
  expect(shown(volumeSnapshotContents, object)).toEqual(["c", false, 5, "Delete", "d", "local", "s", "default", "5m"]);
  const aClass = { metadata: { name: "a", ...made }, driver: "d", deletionPolicy: "Retain" };
  expect(shown(volumeSnapshotClasses, aClass)).toEqual(["a", "d", "Retain", "5m"]);
});
