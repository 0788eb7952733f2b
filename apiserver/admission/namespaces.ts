// Things live in namespaces: in one that exists, and in none that is going away.
import { namespaces } from "../../api/core/namespaces.ts";
import type { AdmissionPlugin } from "../registry/admission.ts";
import { objectOf } from "../registry/codec.ts";
import { forbidden, notFound } from "../registry/refusals.ts";
import { prefixOf } from "../registry/selection.ts";

/** Without these there is no cluster. */
export const immortal: readonly string[] = ["default", "kube-system", "kube-public"];

/** New content needs a namespace that is there to stay. */
export const namespaceExists: AdmissionPlugin = {
  name: "NamespaceLifecycle",
  operations: ["CREATE"],
  handles: (r) => r.scope === "Namespaced",
  async mutate(object, { r, namespace, present }) {
    if (namespace === undefined) return object;
    const stored = (await present()).get(prefixOf(namespaces) + namespace);
    if (!stored) throw notFound(namespaces, namespace);
    if (objectOf(stored).metadata.deletionTimestamp !== undefined)
      throw forbidden(
        r,
        object.metadata.name,
        `unable to create new content in namespace ${namespace} because it is being terminated`,
        {
          reason: "NamespaceTerminating",
          message: `namespace ${namespace} is being terminated`,
          field: "metadata.namespace",
        },
      );
    return object;
  },
};

/** The namespaces the cluster itself lives in cannot be deleted. */
export const namespaceStays: AdmissionPlugin = {
  name: "NamespaceLifecycle",
  operations: ["DELETE"],
  handles: (r) => r.group === "" && r.plural === "namespaces",
  validate(_namespace, { r, name }) {
    if (immortal.includes(name)) throw forbidden(r, name, "this namespace may not be deleted");
  },
};
