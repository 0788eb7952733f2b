// Kinds that an Orrery server stores, but that nothing in its cluster carries out yet.
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
};

interface AnyObject {
  readonly kind: string;
}

/** Warnings about objects, each once. Pure. */
export function unsupported(objects: readonly AnyObject[]): readonly string[] {
  const missing = objects.flatMap(({ kind }) => kinds[kind] ?? []);
  return [...new Set(missing)].map((what) => `nothing here ${what} yet`);
}

/** The warnings about objects, if the server is Orrery's. */
export async function unsupportedBy(api: Connection, objects: readonly AnyObject[]): Promise<readonly string[]> {
  const warnings = unsupported(objects);
  if (warnings.length === 0) return [];
  const { gitVersion } = await api.get<{ readonly gitVersion: string }>("/version");
  return gitVersion.includes("orrery") ? warnings : [];
}
