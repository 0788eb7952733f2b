// Lists in pages, and response forms that a kind does not support.
import { CoreV1Api } from "@kubernetes/client-node";
import { expect } from "vitest";
import { behaviour, type ScenarioContext } from "./behaviour.ts";

const count = 40;
async function makeTemplates({ client, namespace }: ScenarioContext): Promise<void> {
  const core = client(CoreV1Api);
  const name = (i: number): string => `template-${String(i).padStart(4, "0")}`;
  const template = { spec: { containers: [{ name: "test", image: "test2" }] } };
  await Promise.all(
    Array.from({ length: count }, (_, i) =>
      core.createNamespacedPodTemplate({ namespace, body: { metadata: { name: name(i) }, template } }),
    ),
  );
}
const names = (items: readonly { readonly metadata?: { readonly name?: string } }[]): readonly (string | undefined)[] =>
  items.map(({ metadata }) => metadata?.name);

behaviour("Servers with support for API chunking should return chunks of results for list calls", async (context) => {
  await makeTemplates(context);
  const { client, namespace } = context;
  const core = client(CoreV1Api);
  const found: (string | undefined)[] = [];
  let next: string | undefined;
  let moment: string | undefined;
  for (const limit of [4, 8, 12, 16, 20]) {
    const { items, metadata } = await core.listNamespacedPodTemplate({ namespace, limit, _continue: next });
    moment ??= metadata!.resourceVersion;
    expect(metadata!.resourceVersion).toBe(moment);
    expect(items.length).toBe(Math.min(limit, count - found.length));
    found.push(...names(items));
    expect(metadata!.remainingItemCount ?? 0).toBe(count - found.length);
    next = metadata!._continue;
    if (!next) break;
  }
  expect(next).toBeUndefined();
  const full = await core.listNamespacedPodTemplate({ namespace });
  expect(found).toEqual(names(full.items));
  expect(full.items.length).toBe(count);
});

behaviour(
  "Servers with support for API chunking should support continue listing from the last key if the original version has been compacted away, though the list is inconsistent",
  async (context) => {
    await makeTemplates(context);
    const { client, namespace, server } = context;
    const core = client(CoreV1Api);
    const first = await core.listNamespacedPodTemplate({ namespace, limit: 10 });
    expect([first.items.length, first.metadata!.remainingItemCount]).toEqual([10, count - 10]);
    await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: "later" } } });
    await server.compact();
    const refused = await core
      .listNamespacedPodTemplate({ namespace, limit: 10, _continue: first.metadata!._continue })
      .then(
        () => undefined,
        (e: { readonly code: number; readonly body: string }) => ({ code: e.code, ...JSON.parse(e.body) }),
      );
    expect(refused).toMatchObject({ code: 410, reason: "Expired", metadata: { continue: expect.stringMatching(/./) } });
    const second = await core.listNamespacedPodTemplate({ namespace, limit: 10, _continue: refused.metadata.continue });
    expect(second.metadata!.resourceVersion).not.toBe(first.metadata!.resourceVersion);
    expect([second.items.length, second.metadata!.remainingItemCount]).toEqual([10, count - 20]);
    const rest = await core.listNamespacedPodTemplate({ namespace, _continue: second.metadata!._continue });
    expect(rest.metadata!.resourceVersion).toBe(second.metadata!.resourceVersion);
    const found = [first, second, rest].flatMap(({ items }) => names(items));
    expect(found).toEqual(names((await core.listNamespacedPodTemplate({ namespace })).items));
  },
);

behaviour(
  "Servers with support for Table transformation should return a 406 for a backend which does not implement metadata",
  async ({ send }) => {
    const review = {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SelfSubjectAccessReview",
      spec: { resourceAttributes: { verb: "list", resource: "pods" } },
    };
    const response = await send("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json;as=Table;v=v1;g=meta.k8s.io" },
      body: JSON.stringify(review),
    });
    expect([response.status, JSON.parse(response.text)]).toMatchObject([406, { reason: "NotAcceptable", code: 406 }]);
  },
);
