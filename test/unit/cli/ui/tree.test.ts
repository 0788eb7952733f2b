// The tree of owners, and the rows of a pod's containers.
import { expect, test } from "vitest";
import { instant } from "../../../../api/meta.ts";
import { containerRows } from "../../../../cli/ui/sources/containers.ts";
import { type OwnedObject, treeRows } from "../../../../cli/ui/tree.ts";
import { resourceNamed } from "./states.ts";

const object = (plural: string, name: string, owners: readonly string[]): OwnedObject => ({
  ref: { resource: resourceNamed(plural), namespace: "default", name },
  uid: name,
  owners,
  ready: "",
  status: "",
  created: undefined,
});
const web = object("deployments", "web", []);
const labels = (objects: readonly OwnedObject[], root = web): readonly string[] =>
  treeRows(root, objects).map(({ cells }) => cells[0]!);

test("what an object owns stands below it, by kind and name", () => {
  const objects = [
    object("pods", "b2", ["b"]),
    object("pods", "b1", ["b"]),
    object("pods", "a1", ["a"]),
    object("configmaps", "b", ["web"]),
    object("configmaps", "a", ["web"]),
    object("pods", "stranger", []),
    web,
  ];
  expect(labels(objects)).toEqual([
    "Deployment/web",
    "├─ ConfigMap/a",
    "│  └─ Pod/a1",
    "└─ ConfigMap/b",
    "   ├─ Pod/b1",
    "   └─ Pod/b2",
  ]);
});

test("an object with two owners stands below each, and cycles end", () => {
  const [a, b] = [object("configmaps", "a", ["web", "b"]), object("configmaps", "b", ["web", "a"])];
  expect(labels([web, a, b])).toEqual([
    "Deployment/web",
    "├─ ConfigMap/a",
    "│  └─ ConfigMap/b",
    "└─ ConfigMap/b",
    "   └─ ConfigMap/a",
  ]);
  expect(new Set(treeRows(web, [web, a, b]).map(({ id }) => id)).size).toBe(5);
});

test("containers have the state of their status", () => {
  const now = instant(Date.UTC(2026, 0, 31, 12));
  const common = { image: "i:1", imageID: "", ready: false, restartCount: 3 };
  const rows = containerRows(
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "p", namespace: "default", uid: "u", resourceVersion: "1", creationTimestamp: "" },
      spec: {
        initContainers: [{ name: "setup", image: "i:1" }],
        containers: [
          { name: "app", image: "i:1" },
          { name: "new", image: "i:2" },
        ],
      },
      status: {
        initContainerStatuses: [{ ...common, name: "setup", state: { terminated: { exitCode: 2 } } }],
        containerStatuses: [
          { ...common, name: "app", ready: true, state: { running: { startedAt: "2026-01-31T11:00:00Z" } } },
        ],
      },
    },
    now,
  );
  expect(rows.map(({ cells }) => cells.join(" "))).toEqual([
    "setup init false exit 2 3  i:1",
    "app container true Running 3 60m i:1",
    "new container false Waiting 0  i:2",
  ]);
});
