// Kinds and fields that an Orrery server stores, but that nothing in its cluster carries out yet.
import type { Connection } from "./connection.ts";

/** Kinds, with what is missing. */
const kinds: Readonly<Record<string, string>> = {
  Ingress: "serves Ingresses",
  NetworkPolicy: "enforces NetworkPolicies",
  Role: "enforces RBAC rules",
  ClusterRole: "enforces RBAC rules",
  RoleBinding: "enforces RBAC rules",
  ClusterRoleBinding: "enforces RBAC rules",
  MutatingWebhookConfiguration: "calls admission webhooks",
  ValidatingWebhookConfiguration: "calls admission webhooks",
  ValidatingAdmissionPolicy: "evaluates ValidatingAdmissionPolicies",
  CustomResourceDefinition: "serves custom resources",
  APIService: "forwards requests to APIServices",
  ResourceClaim: "allocates ResourceClaims",
};

type Fields = Readonly<Record<string, unknown>>;
/** Fields of pods, with what is missing. */
const podFields: readonly (readonly [missing: string, uses: (spec: Fields) => boolean])[] = [
  ["considers pod affinity", ({ affinity }) => "podAffinity" in ((affinity ?? {}) as object)],
  ["considers pod anti-affinity", ({ affinity }) => "podAntiAffinity" in ((affinity ?? {}) as object)],
  ["considers topologySpreadConstraints", ({ topologySpreadConstraints }) => topologySpreadConstraints !== undefined],
];

interface AnyObject {
  readonly kind: string;
  readonly spec?: unknown;
}

interface Templated extends Fields {
  readonly template?: { readonly spec?: Fields };
  readonly jobTemplate?: { readonly spec?: Templated };
}
/** The pod specification of a pod or of a workload's template. */
function podSpecOf({ kind, spec }: AnyObject): Fields {
  if (kind === "Pod") return (spec ?? {}) as Fields;
  const { template, jobTemplate } = (spec ?? {}) as Templated;
  return (jobTemplate?.spec?.template ?? template)?.spec ?? {};
}

/** Warnings about objects, each once. Pure. */
export function unsupported(objects: readonly AnyObject[]): readonly string[] {
  const missing = objects.flatMap((object) => {
    const ofKind = kinds[object.kind];
    const spec = podSpecOf(object);
    return [...(ofKind ? [ofKind] : []), ...podFields.filter(([, uses]) => uses(spec)).map(([what]) => what)];
  });
  return [...new Set(missing)].map((what) => `nothing here ${what} yet`);
}

/** The warnings about objects, if the server is Orrery's. */
export async function unsupportedBy(api: Connection, objects: readonly AnyObject[]): Promise<readonly string[]> {
  const warnings = unsupported(objects);
  if (warnings.length === 0) return [];
  const { gitVersion } = await api.get<{ readonly gitVersion: string }>("/version");
  return gitVersion.includes("orrery") ? warnings : [];
}
