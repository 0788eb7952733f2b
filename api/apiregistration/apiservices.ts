// APIService: which server, this one or one behind a service, serves a version of an API group. Source: the API
// reference of apiregistration.k8s.io.
import type { APIService, APIServiceCondition } from "../generated/types.ts";
import { extension } from "../admissionregistration/match-rules.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import type { Problem } from "../errors.ts";
import { define } from "../kinds.ts";
import type { Draft } from "../meta.ts";
import { validateDns1035Label } from "../names.ts";
import { detailOf, invalid, required, together } from "../problems.ts";

function availableText({ status }: APIService): string {
  const { status: availability = "Unknown", reason } = status?.conditions?.find((c) => c.type === "Available") ?? {};
  return availability !== "True" && reason ? `${availability} (${reason})` : availability;
}

/** What this server serves itself is always available. */
const local = (at: string): APIServiceCondition => ({
  type: "Available",
  status: "True",
  lastTransitionTime: at,
  reason: "Local",
  message: "Local APIServices are always available",
});

/** The connection to another server is verified by a CA bundle, or not at all; there is none to this server. */
function validateTls({ caBundle, insecureSkipTLSVerify: isInsecure, service }: APIService["spec"]) {
  const path = "spec.insecureSkipTLSVerify";
  if (service)
    return together(isInsecure && caBundle && invalid(path, isInsecure, "may not be true if caBundle is present"));
  return together(
    caBundle && invalid("spec.caBundle", `${atob(caBundle).length} bytes`, "local APIServices may not have a caBundle"),
    isInsecure && invalid(path, isInsecure, "local APIServices may not have insecureSkipTLSVerify"),
  );
}

function validate({ metadata: { name = "" }, spec }: Draft<APIService>): readonly Problem[] {
  const { group = "", version = "" } = spec;
  const expected = `${version}.${group}`;
  return together(
    name !== expected &&
      invalid("metadata.name", name, `must be \`spec.version+"."+spec.group\`: ${JSON.stringify(expected)}`),
    group === "" &&
      version !== "v1" &&
      required("spec.group", "only v1 may have an empty group and it better be legacy kube"),
    validateDns1035Label(version || "-", "spec.version").map((p) => invalid(p.path, version, detailOf(p))),
    validateTls(spec),
  );
}

export const apiServices = define<APIService>({
  ...extension,
  group: "apiregistration.k8s.io",
  kind: "APIService",
  nameFormat: "any",
  subresources: ["status"],
  published: "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIService",
  onCreate: (s) => (s.spec.service ? s : { ...s, status: { conditions: [local(s.metadata.creationTimestamp)] } }),
  validate,
  columns: [
    nameColumn,
    { name: "Service", cell: ({ spec: { service: s } }) => (s ? `${s.namespace ?? ""}/${s.name ?? ""}` : "Local") },
    { name: "Available", cell: availableText },
    ageColumn,
  ],
});
