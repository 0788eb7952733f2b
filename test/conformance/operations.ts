// What can be done to the objects of any kind, done to one kind after another, as the published behaviours of many
// kinds ask for: they are discovered, made, read, listed, watched, patched, replaced and deleted.
import { KubernetesObjectApi, type KubernetesObject, type V1APIResourceList } from "@kubernetes/client-node";
import { expect } from "vitest";
import type { ScenarioContext } from "./behaviour.ts";
import { historyOf, patched } from "./requests.ts";

/** A kind, and what is special about it. */
export interface Operated {
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  /** Everything of a new object but who it is; from the context, for what must be unique. */
  readonly body: object;
  readonly namespaced?: boolean;
  /** Names that objects may bear, where not every one will do. */
  readonly names?: readonly [string, string, string];
  /** Parts that are read, replaced and patched by themselves. */
  readonly status?: object;
}

const verbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
type Any = KubernetesObject & { readonly status?: object };

async function discovered(
  { ask }: ScenarioContext,
  { apiVersion, kind, plural, namespaced, status }: Operated,
): Promise<void> {
  const { text } = await ask(`/apis/${apiVersion}`);
  const { resources } = JSON.parse(text) as V1APIResourceList;
  const found = resources.find((r) => r.name === plural);
  expect(found).toMatchObject({ kind, namespaced: namespaced ?? false });
  expect([...found!.verbs].sort()).toEqual(verbs);
  const parts = resources.filter((r) => r.name === `${plural}/status`).map((r) => [...r.verbs].sort());
  if (status) expect(parts).toEqual([["get", "patch", "update"]]);
}

async function statusWritten({ ask }: ScenarioContext, path: string, status: object): Promise<void> {
  const shown = await patched(ask, `${path}/status`, { status });
  expect(shown.status).toMatchObject(status);
  const put = await ask(`${path}/status`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(shown),
  });
  expect(put.status, put.text).toBe(200);
  const read = JSON.parse((await ask(`${path}/status`)).text);
  expect([read.spec, read.status]).toMatchObject([shown.spec, status]);
}

/** All of it, in order. */
export async function operate(context: ScenarioContext, kind: Operated): Promise<void> {
  const { ask, config, namespace } = context;
  const api = KubernetesObjectApi.makeApiClient(config);
  await discovered(context, kind);
  const home = kind.namespaced ? `namespaces/${namespace}/` : "";
  const collection = `/apis/${kind.apiVersion}/${home}${kind.plural}`;
  const labels = { "special-label": namespace };
  const selected = `?labelSelector=special-label%3D${namespace}`;
  const head = { apiVersion: kind.apiVersion, kind: kind.kind };
  const names = kind.names ?? [`${namespace}-1`, `${namespace}-2`, `${namespace}-3`];
  const meta = (name: string): object => ({ name, labels, ...(kind.namespaced && { namespace }) });
  for (const name of names) await api.create({ ...head, ...kind.body, metadata: meta(name) } as Any);

  const first: Any = await api.read({ ...head, metadata: { name: names[0], namespace } } as never);
  expect(first.metadata?.uid).toBeTruthy();
  const list = JSON.parse((await ask(collection + selected)).text);
  expect([list.kind, list.items.length]).toEqual([`${kind.kind}List`, 3]);
  if (kind.namespaced) {
    const everywhere = JSON.parse((await ask(`/apis/${kind.apiVersion}/${kind.plural}${selected}`)).text);
    expect(everywhere.items.length).toBe(3);
  }

  const path = `${collection}/${names[0]}`;
  const annotated = await patched(ask, path, { metadata: { annotations: { patched: "true" } } });
  expect(annotated.metadata.annotations).toMatchObject({ patched: "true" });
  const replaced: Any = await api.replace({
    ...annotated,
    metadata: { ...annotated.metadata, annotations: { updated: "true" } },
  });
  expect(replaced.metadata?.annotations).toMatchObject({ updated: "true" });
  if (kind.status) await statusWritten(context, path, kind.status);
  const told = await historyOf(ask, collection + selected, list.metadata.resourceVersion);
  expect(told.some((e) => e.type === "MODIFIED" && e.object.metadata.annotations?.updated)).toBe(true);

  await api.delete({ ...head, metadata: { name: names[0], namespace } } as never);
  expect((await ask(path)).status).toBe(404);
  expect(JSON.parse((await ask(collection + selected)).text).items.length).toBe(2);
  expect((await ask(collection + selected, { method: "DELETE" })).status).toBe(200);
  expect(JSON.parse((await ask(collection + selected)).text).items).toEqual([]);
}
