// PodTemplate: a pod to copy.
import type { PodTemplate } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { templateDefaults } from "./pod/defaults.ts";
import { podRules } from "./pod/rules.ts";
import { templateWarnings } from "./pod/warnings.ts";
import { containerColumns, labelsCell, nameColumn } from "../columns.ts";

export type { PodTemplate } from "../generated/types.ts";

export const podTemplates = define<PodTemplate>({
  group: "",
  kind: "PodTemplate",
  scope: "Namespaced",
  generation: "template",
  defaults: (d) => (d.template ? { ...d, template: templateDefaults(d.template) } : d),
  rules: podRules,
  warnings: (t) => templateWarnings(t.template, "template"),
  columns: [
    nameColumn,
    ...containerColumns((t: PodTemplate) => t.template, 0),
    { name: "Pod Labels", cell: (t) => labelsCell(t.template?.metadata?.labels) },
  ],
});
