// The ConfigMap with the root certificate of every namespace: created, corrected, or unchanged.
import { expect, test } from "vitest";
import type { ConfigMap, Namespace } from "../../../api/generated/types.ts";
import { type Observed, rootCaController } from "../../../controllers/namespaceobjects/controller.ts";
import { ago, asStored, carryOut, now } from "./world.ts";

const namespace = (metadata: object = {}): Namespace =>
  asStored<Namespace>({ kind: "Namespace", metadata: { name: "n", ...metadata } });
const published = (data: object, annotations?: object): ConfigMap =>
  asStored<ConfigMap>({ kind: "ConfigMap", metadata: { name: "kube-root-ca.crt", namespace: "n", annotations }, data });
const right = published({ "ca.crt": "PEM" }, { "kubernetes.io/description": "what it is for" });
const observed = (of: ConfigMap | undefined, at = namespace()): Observed<ConfigMap> => ({ namespace: at, object: of });
const decide = (view: Observed<ConfigMap>) => rootCaController("PEM").decide(view, now);

const table: readonly (readonly [what: string, view: Observed<ConfigMap>, expected: readonly string[]])[] = [
  ["missing: created", observed(undefined), ["create"]],
  ["correct: unchanged", observed(right), []],
  ["another certificate: updated", observed(published({ "ca.crt": "other" }, right.metadata.annotations)), ["update"]],
  [
    "an additional key: removed",
    observed(published({ "ca.crt": "PEM", more: "" }, right.metadata.annotations)),
    ["update"],
  ],
  ["a missing description: restored", observed(published({ "ca.crt": "PEM" })), ["update"]],
  ["a terminating namespace: not created", observed(undefined, namespace({ deletionTimestamp: ago(1) })), []],
];
for (const [what, view, expected] of table)
  test(`root CA: ${what}; the second decision is empty`, () => {
    const { actions } = decide(view);
    expect(actions.map((a) => a.do)).toEqual(expected);
    const after = carryOut(actions, view.object ? [view.object] : []) as readonly ConfigMap[];
    expect(decide({ ...view, object: after[0] }).actions).toEqual([]);
  });
