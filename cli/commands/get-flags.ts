// The flags of `get`, and the tables they ask for.
import type { TargetFlags } from "../client/targets.ts";
import { type Resource, typeName } from "../client/resources.ts";
import type { OutputFlags } from "../printers/output.ts";
import type { TableOptions } from "../printers/table.ts";
import type { GlobalFlags } from "../program/global-flags.ts";

export interface GetFlags extends GlobalFlags, TargetFlags, OutputFlags {
  readonly watch?: boolean;
  readonly watchOnly?: boolean;
  readonly outputWatchEvents?: boolean;
  readonly showLabels?: boolean;
  readonly showKind?: boolean;
  readonly labelColumns?: readonly string[];
  readonly sortBy?: string;
  readonly chunkSize: number;
  readonly ignoreNotFound?: boolean;
  readonly subresource?: string;
  readonly serverPrint?: boolean;
  readonly raw?: string;
  /** The moment at which objects are read. */
  readonly at?: string;
}

/** The table options that do not depend on what is shown. */
export const tableOptions = (flags: GetFlags, resource: Resource, showKind: boolean): TableOptions => ({
  wide: flags.output === "wide",
  namespaces: flags.allNamespaces === true && resource.namespaced,
  labelColumns: flags.labelColumns ?? [],
  showLabels: flags.showLabels === true,
  ...(showKind || flags.showKind ? { kind: typeName(resource) } : {}),
});
