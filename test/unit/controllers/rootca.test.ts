// The certificate every namespace is given: made, put right, and left alone.
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
const decide = (given: Observed<ConfigMap>) => rootCaController("PEM").decide(given, now);

const table: readonly (readonly [what: string, given: Observed<ConfigMap>, expected: readonly string[]])[] = [
  ["what is missing is made", observed(undefined), ["create"]],
  ["what is right stays", observed(right), []],
  [
    "another certificate is put right",
    observed(published({ "ca.crt": "other" }, right.metadata.annotations)),
    ["update"],
  ],
  ["what was added goes", observed(published({ "ca.crt": "PEM", more: "" }, right.metadata.annotations)), ["update"]],
  ["the description comes back", observed(published({ "ca.crt": "PEM" })), ["update"]],
  ["a namespace that is going needs none", observed(undefined, namespace({ deletionTimestamp: ago(1) })), []],
];
for (const [what, given, expected] of table)
  test(`root CA: ${what}, and then there is silence`, () => {
    const { actions } = decide(given);
    expect(actions.map((a) => a.do)).toEqual(expected);
    const after = carryOut(actions, given.object ? [given.object] : []) as readonly ConfigMap[];
    expect(decide({ ...given, object: after[0] }).actions).toEqual([]);
  });
