// IPAddress: one address of the services' ranges that is taken, and by whom.
import { validateAddress } from "../addresses-validate.ts";
import type { Problem } from "../errors.ts";
import type { IPAddress } from "../generated/types.ts";
import { define, qualified } from "../kinds.ts";
import type { Draft } from "../meta.ts";
import { validatePathSegment, validateSubdomainName } from "../names.ts";
import { required, unchanged } from "../problems.ts";
import { schemaOf } from "../schema.ts";
import { nameColumn } from "../columns.ts";
import { validateReferenceWord } from "../core/references-validate.ts";

function validate({ metadata, spec }: Draft<IPAddress>, old?: IPAddress): readonly Problem[] {
  const { parentRef: parent } = spec ?? {};
  const path = "spec.parentRef";
  if (old) return unchanged(parent, old.spec.parentRef, path);
  return [
    ...validateAddress(metadata.name ?? "", "metadata.name"),
    ...(parent
      ? [
          ...validateSubdomainName(parent.group, `${path}.group`),
          ...validateReferenceWord(parent.resource, `${path}.resource`),
          ...validateReferenceWord(parent.name, `${path}.name`),
          ...validatePathSegment(parent.namespace ?? "", `${path}.namespace`),
        ]
      : [required(path)]),
  ];
}

function parentText({ spec }: IPAddress): string {
  const parent = spec?.parentRef;
  if (!parent) return "<none>";
  const resource = qualified({ group: parent.group ?? "", plural: parent.resource });
  return [resource.toLowerCase(), ...(parent.namespace ? [parent.namespace] : []), parent.name].join("/");
}

export const ipAddresses = define<IPAddress>({
  group: "networking.k8s.io",
  version: "v1",
  kind: "IPAddress",
  plural: "ipaddresses",
  shortNames: ["ip"],
  scope: "Cluster",
  published: "io.k8s.api.networking.v1.IPAddress",
  schema: schemaOf("io.k8s.api.networking.v1.IPAddress"),
  validate,
  columns: [nameColumn, { name: "ParentRef", cell: parentText }],
});
