// Lists by label and by field, again after the objects have changed: what is kept of a stored value belongs to that value.
import { expect, test } from "vitest";
import { pods } from "../../../api/core/pods.ts";
import { key } from "../../../api/meta.ts";
import type { Selection } from "../../../machinery/client.ts";
import { bootstrappedClient } from "./bootstrapped-client.ts";

const namespace = "default";

test.each<[string, Selection, object]>([
  ["a label", { labelSelector: "app=web" }, { metadata: { labels: { app: "db" } } }],
  ["a field", { fieldSelector: "status.phase=Pending" }, { status: { phase: "Running" } }],
  ["both", { labelSelector: "app", fieldSelector: "status.phase!=Running" }, { status: { phase: "Running" } }],
])("an object that ceases to match by %s is not listed any more", async (_, selection, patch) => {
  const client = await bootstrappedClient();
  for (const name of ["a", "b"])
    await client.create(pods, {
      kind: "Pod",
      metadata: { name, namespace, labels: { app: "web" } },
      spec: { containers: [{ name: "c", image: "i" }] },
    });
  const names = async (): Promise<readonly string[]> =>
    (await client.list(pods, { namespace, ...selection })).items.map(({ metadata }) => metadata.name);
  expect(await names()).toEqual(["a", "b"]);
  await client.patch(pods, key(namespace, "a"), { type: "merge", patch }, "status" in patch ? "status" : undefined);
  expect(await names()).toEqual(["b"]);
});
