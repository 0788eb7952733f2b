// PodTemplate: a pod that is not to be run but to be copied.
import type { PodTemplate } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { templateDefaults } from "./pod/defaults.ts";
import { podRules } from "./pod/rules.ts";
import { templateWarnings } from "./pod/warnings.ts";
import { labelsCell, nameColumn } from "../columns.ts";

export type { PodTemplate } from "../generated/types.ts";

const containers = (t: PodTemplate): readonly { readonly name: string; readonly image?: string }[] =>
  t.template?.spec?.containers ?? [];

export const podTemplates = define<PodTemplate>({
  group: "",
  version: "v1",
  kind: "PodTemplate",
  plural: "podtemplates",
  scope: "Namespaced",
  generation: "template",
  defaults: (d) => (d.template ? { ...d, template: templateDefaults(d.template) } : d),
  rules: podRules,
  warnings: (t) => templateWarnings(t.template, "template"),
  columns: [
    nameColumn,
    {
      name: "Containers",
      cell: (t) =>
        containers(t)
          .map((c) => c.name)
          .join(","),
    },
    {
      name: "Images",
      cell: (t) =>
        containers(t)
          .map((c) => c.image ?? "")
          .join(","),
    },
    { name: "Pod Labels", cell: (t) => labelsCell(t.template?.metadata?.labels) },
  ],
});
