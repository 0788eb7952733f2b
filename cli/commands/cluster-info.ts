// orrery cluster-info: prints the addresses of the control plane and of the services that are marked as the cluster's.
import type { Command } from "commander";
import type { Service } from "../../api/generated/types.ts";
import { query } from "../client/resources.ts";
import { session } from "../client/session.ts";
import type { GlobalFlags } from "../program/global-flags.ts";
import { addDump } from "./cluster-info-dump.ts";
import { printLine } from "../program/output.ts";

/** The address of a service behind the API server's proxy. */
function proxyAddress(server: string, { metadata, spec }: Service): string {
  const { namespace, name } = metadata;
  const [port] = spec.ports ?? [];
  const scheme = port?.name === "https" || port?.port === 443 ? "https:" : "";
  const portName = port?.name ? `:${port.name}` : "";
  return `${server}/api/v1/namespaces/${namespace}/services/${scheme}${name}${portName}/proxy`;
}

/** Adds `cluster-info` to the program. */
export const register = (program: Command): void => {
  const command = program.command("cluster-info").argument("[args...]").usage("[options]");
  addDump(command);
  command.action(async (_args: readonly string[], flags: GlobalFlags) => {
    const { api } = await session(flags);
    const labelSelector = "kubernetes.io/cluster-service=true";
    const services = await api.list<Service>(`/api/v1/namespaces/kube-system/services${query({ labelSelector })}`);
    printLine(`Kubernetes control plane is running at ${api.access.server}`);
    for (const service of services) {
      const name = service.metadata.labels?.["kubernetes.io/name"] ?? service.metadata.name;
      printLine(`${name} is running at ${proxyAddress(api.access.server, service)}`);
    }
    printLine("\nTo further debug and diagnose cluster problems, use 'orrery cluster-info dump'.");
  });
};
