// The operations that published behaviours of many kinds require: discovery, create, get, list, watch, patch, update
// and delete.
import { KubernetesObjectApi, type KubernetesObject, type V1APIResourceList } from "@kubernetes/client-node";
import { expect } from "vitest";
import type { ScenarioContext } from "./behaviour.ts";
import { historyOf, patched } from "./requests.ts";

/** A kind, and its special features. */
export interface Operated {
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  /** A new object without its identity. Computed from the context where values must be unique. */
  readonly body: object;
  readonly namespaced?: boolean;
  /** Valid names, for kinds that restrict them. */
  readonly names?: readonly [string, string, string];
  /** Subresources that can be read, updated and patched. */
  readonly status?: object;
}

const verbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
type Any = KubernetesObject & { readonly status?: object };

async function discovered(
  { send }: ScenarioContext,
  { apiVersion, kind, plural, namespaced, status }: Operated,
): Promise<void> {
  const { text } = await send(`/apis/${apiVersion}`);
  const { resources } = JSON.parse(text) as V1APIResourceList;
  const found = resources.find((r) => r.name === plural);
  expect(found).toMatchObject({ kind, namespaced: namespaced ?? false });
  expect([...found!.verbs].sort()).toEqual(verbs);
  const parts = resources.filter((r) => r.name === `${plural}/status`).map((r) => [...r.verbs].sort());
  if (status) expect(parts).toEqual([["get", "patch", "update"]]);
}

async function statusWritten({ send }: ScenarioContext, path: string, status: object): Promise<void> {
  const shown = await patched(send, `${path}/status`, { status });
  expect(shown.status).toMatchObject(status);
  const put = await send(`${path}/status`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(shown),
  });
  expect(put.status, put.text).toBe(200);
  const read = JSON.parse((await send(`${path}/status`)).text);
  expect([read.spec, read.status]).toMatchObject([shown.spec, status]);
}

/** All operations, in order. */
export async function operate(context: ScenarioContext, kind: Operated): Promise<void> {
  const { send, config, namespace } = context;
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
  const list = JSON.parse((await send(collection + selected)).text);
  expect([list.kind, list.items.length]).toEqual([`${kind.kind}List`, 3]);
  if (kind.namespaced) {
    const everywhere = JSON.parse((await send(`/apis/${kind.apiVersion}/${kind.plural}${selected}`)).text);
    expect(everywhere.items.length).toBe(3);
  }

  const path = `${collection}/${names[0]}`;
  const annotated = await patched(send, path, { metadata: { annotations: { patched: "true" } } });
  expect(annotated.metadata.annotations).toMatchObject({ patched: "true" });
  const replaced: Any = await api.replace({
    ...annotated,
    metadata: { ...annotated.metadata, annotations: { updated: "true" } },
  });
  expect(replaced.metadata?.annotations).toMatchObject({ updated: "true" });
  if (kind.status) await statusWritten(context, path, kind.status);
  const events = await historyOf(send, collection + selected, list.metadata.resourceVersion);
  expect(events.some((e) => e.type === "MODIFIED" && e.object.metadata.annotations?.updated)).toBe(true);

  await api.delete({ ...head, metadata: { name: names[0], namespace } } as never);
  expect((await send(path)).status).toBe(404);
  expect(JSON.parse((await send(collection + selected)).text).items.length).toBe(2);
  expect((await send(collection + selected, { method: "DELETE" })).status).toBe(200);
  expect(JSON.parse((await send(collection + selected)).text).items).toEqual([]);
}
