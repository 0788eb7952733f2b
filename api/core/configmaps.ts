// ConfigMap: configuration that pods read as files or variables.
import type { ConfigMap } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { invalid } from "../problems.ts";
import { immutableData, validateKeys, validateSize } from "./config-data.ts";
import { ageColumn, nameColumn } from "../columns.ts";

export type { ConfigMap } from "../generated/types.ts";

export const configMaps = define<ConfigMap>({
  group: "",
  kind: "ConfigMap",
  shortNames: ["cm"],
  scope: "Namespaced",
  validate: (c, old) => [
    ...validateKeys(c.data, "data"),
    ...validateKeys(c.binaryData, "binaryData"),
    ...Object.keys(c.data ?? {}).flatMap((key) =>
      c.binaryData?.[key] === undefined ? [] : [invalid(`data[${key}]`, key, "duplicate of key present in binaryData")],
    ),
    ...validateSize(c.data, c.binaryData, "[]"),
    ...immutableData(c, old),
  ],
  columns: [
    nameColumn,
    {
      name: "Data",
      type: "string",
      cell: (c) => Object.keys(c.data ?? {}).length + Object.keys(c.binaryData ?? {}).length,
    },
    ageColumn,
  ],
});
