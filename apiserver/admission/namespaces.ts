// Things live in namespaces: in one that exists, and in none that is going away.
import { namespaces } from "../../api/core/namespaces.ts";
import type { Admission } from "./admission.ts";
import { objectOf } from "../registry/codec.ts";
import { forbidden, notFound } from "../registry/refusals.ts";
import { prefixOf } from "../registry/selection.ts";

/** Without these there is no cluster. */
export const immortal: readonly string[] = ["default", "kube-system", "kube-public"];

/** New content needs a namespace that is there to stay. */
export const namespaceExists: Admission = {
  name: "NamespaceLifecycle",
  applies: (r) => r.scope === "Namespaced",
  async admit(object, { r, old, look }) {
    const namespace = object?.metadata.namespace;
    if (old || !object || namespace === undefined) return object;
    const stored = (await look()).get(prefixOf(namespaces) + namespace);
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
export const namespaceStays: Admission = {
  name: "ImmortalNamespaces",
  applies: (r) => r.group === "" && r.plural === "namespaces",
  admit(object, { r, old }) {
    if (!object && old && immortal.includes(old.metadata.name))
      throw forbidden(r, old.metadata.name, "this namespace may not be deleted");
    return object;
  },
};
