import { expect, test } from "vitest";
import { daemonSets } from "../../../api/apps/daemonsets.ts";
import type { DaemonSet } from "../../../api/generated/types.ts";
import { type Draft, key } from "../../../api/meta.ts";
import { server } from "../controllers/running.ts";

const annotation = "deprecated.daemonset.template.generation";
const draft = (annotations: Readonly<Record<string, string>> = {}): Draft<DaemonSet> => ({
  kind: "DaemonSet",
  metadata: { name: "web", namespace: "default", annotations },
  spec: {
    selector: { matchLabels: { app: "web" } },
    template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "c", image: "app:1" }] } },
  },
});
const image = (name: string): object => ({
  spec: { template: { spec: { containers: [{ name: "c", image: name }] } } },
});

const table: readonly (readonly [what: string, created: Draft<DaemonSet>, patch: object, number: string])[] = [
  ["begins with one", draft(), {}, "1"],
  ["a new template is the next", draft(), image("app:2"), "2"],
  ["nothing else is", draft(), { metadata: { labels: { a: "b" } } }, "1"],
  ["a create may set it", draft({ [annotation]: "5" }), {}, "5"],
  ["an update may not", draft(), { metadata: { annotations: { [annotation]: "7" } } }, "1"],
  ["nor remove it", draft(), { metadata: { annotations: null } }, "1"],
];
for (const [what, created, patch, number] of table)
  test(`template generation: ${what}`, async () => {
    const { client } = await server();
    await client.create(daemonSets, created);
    const { metadata } = await client.patch(daemonSets, key("default", "web"), { type: "merge", patch });
    expect(metadata.annotations?.[annotation]).toBe(number);
  });
