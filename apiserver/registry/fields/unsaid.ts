// Fields the server fills in when an object is made, beyond the defaults of its kind: nobody said them, and nobody
// owns them. Facts of the original, which fills them in after it has counted whose the fields are.
import type { ResourceDefinition } from "../../../api/kinds.ts";
import { type FieldSet, noFields, pathsOf } from "./set.ts";

const jobLabels = ["controller-uid", "job-name", "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name"];
const paths: Readonly<Record<string, readonly (readonly string[])[]>> = {
  pods: ["serviceAccountName", "serviceAccount", "priority", "preemptionPolicy", "tolerations"].map((f) => ["spec", f]),
  services: ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"].map((f) => ["spec", f]),
  namespaces: [["spec", "finalizers"]],
  persistentvolumes: [["metadata", "finalizers"]],
  persistentvolumeclaims: [["metadata", "finalizers"]],
  "jobs.batch": [
    ["metadata", "labels"],
    ["spec", "selector"],
    ["spec", "template", "metadata", "labels"],
    ...jobLabels.map((label) => ["spec", "template", "metadata", "labels", label]),
  ],
};

const says = (object: unknown, path: readonly string[]): boolean => {
  let at = object;
  for (const name of path) {
    if (typeof at !== "object" || at === null) return false;
    at = (at as Readonly<Record<string, unknown>>)[name];
  }
  return at !== undefined;
};

/** What of a new object of this kind the server has filled in, given what was said of it. */
export function unsaidIn({ group, plural }: ResourceDefinition, said: object): FieldSet {
  const own = paths[group === "" ? plural : `${plural}.${group}`];
  if (!own) return noFields;
  return pathsOf(...own.filter((path) => !says(said, path)).map((path) => path.map((name) => `f:${name}`)));
}
