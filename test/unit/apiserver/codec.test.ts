// Object encoding: shared decoded objects, and the detection of writes that change nothing.
import { expect, test } from "vitest";
import type { Namespace, ReplicaSet } from "../../../api/generated/types.ts";
import { namespaces } from "../../../api/core/namespaces.ts";
import { replicaSets } from "../../../api/apps/replicasets.ts";
import { type ApiObject, type Draft, key, revision } from "../../../api/meta.ts";
import { encode, isWritten, objectOf, remember } from "../../../apiserver/registry/codec.ts";
import { inProcessClient } from "../../../apiserver/registry/in-process.ts";
import { clusterRegistry } from "../../../apiserver/cluster-registry.ts";
import { memoryStorage } from "../../../apiserver/storage/log.ts";
import { realWorld } from "../../../machinery/real-world.ts";

const metadata = { name: "a", namespace: "n", uid: "u", resourceVersion: "5" };
const map = (data: object): ApiObject => ({ apiVersion: "v1", kind: "ConfigMap", metadata, data }) as never;
const stored = (value: Uint8Array, modified: number) => ({
  key: "k",
  value,
  created: revision(1),
  modified: revision(modified),
});

test.each([
  ["the same fields", { a: "1", b: "2" }, true],
  ["the same in another order", { b: "2", a: "1" }, true],
  ["another value of the same length", { a: "1", b: "3" }, false],
  ["an additional field", { a: "1", b: "2", c: "3" }, false],
])("isWritten: %s", (_, data, is) => {
  const object = map(data);
  expect(isWritten(encode(object), object, stored(encode(map({ a: "1", b: "2" })), 5))).toBe(is);
});

test("a read after a write shares the writer's fields at the committed revision", () => {
  const object = map({ a: "1" }) as ApiObject & { readonly data: object };
  const value = encode(object);
  remember(value, object);
  for (const at of [7, 8]) {
    const read = objectOf<typeof object>(stored(value, at));
    expect(read.metadata.resourceVersion).toBe(`${at}`);
    expect(read.data).toBe(object.data);
  }
});

test("an unchanged template is the identical object after an update", async () => {
  const log = memoryStorage();
  const ranges = { serviceCidr: "10.96.0.0/16", nodePorts: { from: 30_000, to: 32_767 } };
  const client = inProcessClient(
    clusterRegistry(
      log,
      realWorld(() => {}),
      ranges,
    ),
  );
  await client.create(namespaces, { metadata: { name: "n" } } as Draft<Namespace>);
  const labels = { app: "web" };
  const draft = {
    metadata: { name: "web", namespace: "n" },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: "c", image: "i" }] } },
    },
  } as unknown as Draft<ReplicaSet>;
  const before = await client.create(replicaSets, draft);
  const after = await client.update(replicaSets, { ...before, spec: { ...before.spec, replicas: 3 } });
  expect(after.spec.template).toBe((await client.get(replicaSets, key("n", "web"))).spec.template);
  expect(after.spec.template).toBe(before.spec.template);
});
