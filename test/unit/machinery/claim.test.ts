// Claims: adoption and release of dependents. A deleted owner adopts nothing.
import { expect, test } from "vitest";
import { configMaps } from "../../../api/core/configmaps.ts";
import { secrets } from "../../../api/core/secrets.ts";
import type { ConfigMap, Secret } from "../../../api/generated/types.ts";
import { key, ownedBy } from "../../../api/meta.ts";
import { act } from "../../../machinery/action.ts";
import { claim } from "../../../machinery/selector-index.ts";
import { ago, asStored } from "../controllers/world.ts";
import { server } from "../controllers/running.ts";

const owner = asStored<ConfigMap>({ kind: "ConfigMap", metadata: { name: "o", namespace: "default", uid: "u" } });
const dying = { ...owner, metadata: { ...owner.metadata, deletionTimestamp: ago(1) } };
const child = (name: string, labels: object, more: object = {}): Secret =>
  asStored<Secret>({ kind: "Secret", metadata: { name, namespace: "default", labels, ...more } });
const [matching, other] = [{ app: "web" }, { app: "db" }];
const owned = { ownerReferences: [ownedBy(owner)] };
const elsewhere = { ownerReferences: [{ ...ownedBy(owner), uid: "v" }] };

const table = [
  ["a matching orphan is adopted", child("c", matching), ["c"], "adopt"],
  ["a non-matching orphan is unchanged", child("c", other), [], ""],
  ["a matching dependent is unchanged", child("c", matching, owned), ["c"], ""],
  ["a non-matching dependent is released", child("c", other, owned), [], "release"],
  ["a dependent of another owner is unchanged", child("c", matching, elsewhere), [], ""],
  ["a terminating orphan is not adopted", child("c", matching, { deletionTimestamp: ago(1) }), [], ""],
  ["a terminating dependent is not released", child("c", other, { ...owned, deletionTimestamp: ago(1) }), ["c"], ""],
] as const;
for (const [what, of, names, done] of table)
  test(`claim: ${what}`, () => {
    const selector = { matchLabels: matching };
    const claimed = claim({ kind: configMaps as never, object: owner, selector }, secrets, [of]);
    expect(claimed.owned.map((o) => o.metadata.name)).toEqual(names);
    expect(claimed.actions.map((a) => a.do).join()).toBe(done);
  });
test("claim: a terminating owner keeps its dependents and adopts nothing", () => {
  const all = [child("a", matching), child("b", matching, owned), child("c", other, owned)];
  const claimed = claim(
    { kind: configMaps as never, object: dying, selector: { matchLabels: matching } },
    secrets,
    all,
  );
  expect([claimed.owned.map((o) => o.metadata.name), claimed.actions]).toEqual([["b", "c"], []]);
});

test("claim: an owner that is missing or has another uid adopts nothing", async () => {
  const { client } = await server();
  const events = { record: () => {} };
  const metadata = { name: "o", namespace: "default" };
  const live = await client.create(configMaps, { kind: "ConfigMap", metadata });
  const free = await client.create(secrets, { kind: "Secret", metadata: { name: "c", namespace: "default" } });
  const adopt = (by: ConfigMap): Promise<unknown> =>
    act({ do: "adopt", resource: secrets, object: free, owner: by, ownerKind: configMaps }, client, events);
  await expect(adopt(owner)).rejects.toMatchObject({ reason: "Conflict" });
  await adopt(live);
  const adopted = await client.get(secrets, key("default", "c"));
  expect(adopted.metadata.ownerReferences).toEqual([ownedBy(live)]);
  await act({ do: "release", resource: secrets, object: adopted, owner: live }, client, events);
  expect((await client.get(secrets, key("default", "c"))).metadata.ownerReferences ?? []).toEqual([]);
  await client.delete(configMaps, key("default", "o"));
  await expect(adopt(live)).rejects.toMatchObject({ reason: "NotFound" });
});
