// What can be wrong with an API service. Source: the rules of the aggregation layer.
import type { Problem } from "../errors.ts";
import type { APIService } from "../generated/types.ts";
import type { Draft } from "../meta.ts";
import { validateDns1035Label } from "../names.ts";
import { detailOf, invalid, required } from "../problems.ts";

function validateTrust({ spec: { caBundle, insecureSkipTLSVerify, service } }: Draft<APIService>): readonly Problem[] {
  const path = "spec.insecureSkipTLSVerify";
  if (!service)
    return [
      ...(caBundle
        ? [invalid("spec.caBundle", `${atob(caBundle).length} bytes`, "local APIServices may not have a caBundle")]
        : []),
      ...(insecureSkipTLSVerify
        ? [invalid(path, insecureSkipTLSVerify, "local APIServices may not have insecureSkipTLSVerify")]
        : []),
    ];
  return insecureSkipTLSVerify && caBundle
    ? [invalid(path, insecureSkipTLSVerify, "may not be true if caBundle is present")]
    : [];
}

export function validateApiService(draft: Draft<APIService>): readonly Problem[] {
  const { group = "", version = "" } = draft.spec;
  const { name = "" } = draft.metadata;
  const wanted = `${version}.${group}`;
  return [
    ...(name === wanted
      ? []
      : [invalid("metadata.name", name, `must be \`spec.version+"."+spec.group\`: ${JSON.stringify(wanted)}`)]),
    ...(group === "" && version !== "v1"
      ? [required("spec.group", `only v1 may have an empty group and it better be legacy kube`)]
      : []),
    ...(version === ""
      ? validateDns1035Label("-", "spec.version").map((p) => invalid("spec.version", version, detailOf(p)))
      : validateDns1035Label(version, "spec.version")),
    ...validateTrust(draft),
  ];
}
